package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

// tunnel answers a CONNECT, to whatever host, and carries bytes between the client and a server until one of them ends.
func tunnel(client net.Conn, server string) error {
	in := bufio.NewReader(client)
	req, err := http.ReadRequest(in)
	if err != nil || req.Method != http.MethodConnect {
		return fmt.Errorf("no CONNECT: %w", err)
	}
	there, err := net.Dial("tcp", server)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return err
	}
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(there, in)
		_ = there.Close()
	})
	both.Go(func() {
		_, _ = io.Copy(client, there)
		_ = client.Close()
	})
	both.Wait()
	return nil
}
