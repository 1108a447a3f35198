// Reads "METHOD PATH BODY-BYTES" lines, sends them over one connection, prints "STATUS BYTES NANOSECONDS" lines.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1, DisableCompression: true}}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var method, path string
		var size int
		fmt.Sscan(lines.Text(), &method, &path, &size)
		var body io.Reader
		if method == "POST" {
			body = strings.NewReader(strings.Repeat("y", size))
		}
		request, err := http.NewRequest(method, "http://127.0.0.1:"+os.Args[1]+path, body)
		if err != nil {
			panic(err)
		}
		began := time.Now()
		response, err := client.Do(request)
		if err != nil {
			panic(err)
		}
		read, _ := io.Copy(io.Discard, response.Body)
		response.Body.Close()
		fmt.Println(response.StatusCode, read, time.Since(began).Nanoseconds())
	}
}
