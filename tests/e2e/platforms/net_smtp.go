// Go's net/smtp, a connection for each message: PORT COUNT. Prints how many were accepted.
package main

import (
	"fmt"
	"net/smtp"
	"os"
	"strconv"
)

func main() {
	count, _ := strconv.Atoi(os.Args[2])
	accepted := 0
	for number := 0; number < count; number++ {
		content := fmt.Sprintf("Message-ID: <go-%d@example.com>\r\nSubject: x\r\n\r\nHello\r\n", number)
		err := smtp.SendMail("127.0.0.1:"+os.Args[1], nil, "news@example.com",
			[]string{fmt.Sprintf("reader%d@example.net", number)}, []byte(content))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			continue
		}
		accepted++
	}
	fmt.Println(accepted)
}
