// A pool of net/smtp sessions, the way a Go program sends bulk mail: one goroutine a session.
//
//	smtp_pool MESSAGES COUNT PORT SESSIONS [CA]
//
// It reads MESSAGES (bench/e2e/floor.cpp says of what form) before it sends, so that it does less
// than ringpost: no JSON, no outcomes. With a CA it speaks STARTTLS and AUTH PLAIN.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/smtp"
	"os"
	"strconv"
	"sync"
)

type message struct {
	recipient string
	content   []byte
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	must(err)
	return value
}

func readMessages(name string, count int) []message {
	file, err := os.Open(name)
	must(err)
	defer file.Close()
	reader := bufio.NewReaderSize(file, 1<<20)
	messages := make([]message, count)
	for i := range messages {
		var octets int
		var id string
		_, err := fmt.Fscanf(reader, "%d %s %s\n", &octets, &id, &messages[i].recipient)
		must(err)
		messages[i].content = make([]byte, octets)
		_, err = io.ReadFull(reader, messages[i].content)
		must(err)
	}
	return messages
}

func clientConfig(file string) *tls.Config {
	pem, err := os.ReadFile(file)
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS13}
}

func open(port string, config *tls.Config) *smtp.Client {
	connection, err := net.Dial("tcp", "127.0.0.1:"+port)
	must(err)
	client, err := smtp.NewClient(connection, "localhost")
	must(err)
	if config != nil {
		must(client.StartTLS(config))
		must(client.Auth(smtp.PlainAuth("", "ringpost", "ringpost", "localhost")))
	}
	return client
}

func send(client *smtp.Client, message message) {
	must(client.Mail("news@example.com"))
	must(client.Rcpt(message.recipient))
	data, err := client.Data()
	must(err)
	_, err = data.Write(message.content)
	must(err)
	must(data.Close())
}

func main() {
	if len(os.Args) < 5 {
		log.Fatal("usage: smtp_pool MESSAGES COUNT PORT SESSIONS [CA]")
	}
	messages := readMessages(os.Args[1], number(os.Args[2]))
	var config *tls.Config
	if len(os.Args) > 5 {
		config = clientConfig(os.Args[5])
	}
	waiting := make(chan message, len(messages))
	for _, message := range messages {
		waiting <- message
	}
	close(waiting)
	var sessions sync.WaitGroup
	for i := 0; i < number(os.Args[4]); i++ {
		sessions.Add(1)
		go func() {
			defer sessions.Done()
			client := open(os.Args[3], config)
			for message := range waiting {
				send(client, message)
			}
			must(client.Quit())
		}()
	}
	sessions.Wait()
}
