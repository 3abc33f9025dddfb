// A newsletter by a pool of net/smtp sessions and html/template: one goroutine a session, each of
// which makes its messages and sends them.
//
//	newsletter_pool TEMPLATE LIST PORT SESSIONS CA
//
// TEMPLATE is JSON with from, subject, html and unsubscribe, LIST a CSV with a header row. The texts
// have {{name}}, which html/template writes as {{.name}}.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"log"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/smtp"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	textTemplate "text/template"
	"time"
)

type newsletter struct {
	from        string
	subject     *textTemplate.Template
	html        *template.Template
	unsubscribe *textTemplate.Template
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

var tag = regexp.MustCompile(`{{(\w+)}}`)

func dotted(text string) string { return tag.ReplaceAllString(text, "{{.$1}}") }

func readTemplate(name string) newsletter {
	octets, err := os.ReadFile(name)
	must(err)
	var fields map[string]interface{}
	must(json.Unmarshal(octets, &fields))
	text := func(field string) *textTemplate.Template {
		return textTemplate.Must(textTemplate.New(field).Parse(dotted(fields[field].(string))))
	}
	return newsletter{
		from:        fields["from"].(string),
		subject:     text("subject"),
		html:        template.Must(template.New("html").Parse(dotted(fields["html"].(string)))),
		unsubscribe: text("unsubscribe"),
	}
}

func rendered(text *textTemplate.Template, row map[string]string) string {
	var out bytes.Buffer
	must(text.Execute(&out, row))
	return out.String()
}

var count uint64

func (n *newsletter) message(row map[string]string) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%d@example.com>\r\n",
		n.from, row["email"], mime.QEncoding.Encode("utf-8", rendered(n.subject, row)),
		time.Now().Format(time.RFC1123Z), atomic.AddUint64(&count, 1))
	fmt.Fprintf(&out, "X-Id: %s\r\nList-Unsubscribe: <%s>\r\nList-Unsubscribe-Post: "+
		"List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"+
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n", row["id"], rendered(n.unsubscribe, row))
	encoded := quotedprintable.NewWriter(&out)
	must(n.html.Execute(encoded, row))
	must(encoded.Close())
	return out.Bytes()
}

func readRows(name string, rows chan<- map[string]string) {
	file, err := os.Open(name)
	must(err)
	defer file.Close()
	reader := csv.NewReader(file)
	names, err := reader.Read()
	must(err)
	for {
		fields, err := reader.Read()
		if err == io.EOF {
			close(rows)
			return
		}
		must(err)
		row := make(map[string]string, len(names))
		for i, name := range names {
			row[name] = fields[i]
		}
		rows <- row
	}
}

func open(port string, config *tls.Config) *smtp.Client {
	connection, err := net.Dial("tcp", "127.0.0.1:"+port)
	must(err)
	client, err := smtp.NewClient(connection, "localhost")
	must(err)
	must(client.StartTLS(config))
	must(client.Auth(smtp.PlainAuth("", "ringpost", "ringpost", "localhost")))
	return client
}

func send(client *smtp.Client, recipient string, content []byte) {
	must(client.Mail("news@example.com"))
	must(client.Rcpt(recipient))
	data, err := client.Data()
	must(err)
	_, err = data.Write(content)
	must(err)
	must(data.Close())
}

func main() {
	if len(os.Args) != 6 {
		log.Fatal("usage: newsletter_pool TEMPLATE LIST PORT SESSIONS CA")
	}
	news := readTemplate(os.Args[1])
	pem, err := os.ReadFile(os.Args[5])
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS13}
	count, err := strconv.Atoi(os.Args[4])
	must(err)
	rows := make(chan map[string]string, 4*count)
	go readRows(os.Args[2], rows)
	var sessions sync.WaitGroup
	for i := 0; i < count; i++ {
		sessions.Add(1)
		go func() {
			defer sessions.Done()
			client := open(os.Args[3], config)
			for row := range rows {
				send(client, row["email"], news.message(row))
			}
			must(client.Quit())
		}()
	}
	sessions.Wait()
}
