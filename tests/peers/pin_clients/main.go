package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"pinclient/pins"
)

func main() {
	pins.Report = func(failure *pins.Failure) {
		fmt.Printf("report %s %v\n", failure.Host, failure.Refused)
	}
	for _, target := range os.Args[1:] {
		transport := pins.Transport()
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(address)
			return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+port)
		}
		client := pins.Client()
		client.Transport, client.Timeout = transport, 20*time.Second
		answer, err := client.Get("https://" + target + "/")
		if err != nil {
			fmt.Printf("%s refused %s\n", target, strings.ReplaceAll(err.Error(), "\n", " "))
			continue
		}
		answer.Body.Close()
		fmt.Printf("%s ok\n", target)
	}
}
