// GET or POST /item?status=S&size=B[&chunked=1] answers status S with B bytes.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	panic(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		query := r.URL.Query()
		size, _ := strconv.Atoi(query.Get("size"))
		status, err := strconv.Atoi(query.Get("status"))
		if err != nil {
			status = 200
		}
		body := bytes.Repeat([]byte("x"), size)
		w.Header().Set("Content-Type", "text/plain")
		if !query.Has("chunked") {
			w.Header().Set("Content-Length", strconv.Itoa(size))
		}
		w.WriteHeader(status)
		if query.Has("chunked") {
			w.(http.Flusher).Flush()
		}
		w.Write(body)
	})))
}
