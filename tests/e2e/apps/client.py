"""Reads "METHOD PATH BODY-BYTES" lines, sends them over one connection, prints "STATUS BYTES NANOSECONDS" lines."""

import http.client
import sys
import time

connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
for line in sys.stdin:
    method, path, size = line.split()
    began = time.perf_counter_ns()
    connection.request(method, path, b"y" * int(size) if method == "POST" else None)
    response = connection.getresponse()
    body = response.read()
    print(response.status, len(body), time.perf_counter_ns() - began)
