"""What the demo's services share: a small JSON service over HTTP/1.1 with keep-alive to the services it calls."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"
PORTS = {"web": 0, "shop": 1, "catalog": 2, "cart": 3, "payment": 4}

#: A handler gets the path's parts and the request's body; it answers (status, JSON value).
Handler = Callable[[list[str], bytes], tuple[int, object]]


def port(service: str) -> int:
    """Port of a service of the demo."""
    return int(os.environ.get("DEMO_PORT", "18080")) + PORTS[service]


class Client(threading.local):
    """Keeps one connection to each service for each thread."""

    def __init__(self) -> None:
        self._connections: dict[str, http.client.HTTPConnection] = {}

    def call(self, service: str, method: str, path: str, body: object = None) -> tuple[int, object]:
        """Sends a request; (status, decoded JSON)."""
        payload = None if body is None else json.dumps(body).encode()
        for last in (False, True):
            connection = self._connections.get(service)
            if connection is None:
                connection = http.client.HTTPConnection(HOST, port(service), timeout=5)
                self._connections[service] = connection
            try:
                connection.request(method, path, payload, {"Content-Type": "application/json"})
                response = connection.getresponse()
                return response.status, json.loads(response.read() or b"null")
            except (OSError, http.client.HTTPException):
                connection.close()
                del self._connections[service]
                if last:
                    raise
        raise AssertionError


def work(mean_ms: float) -> None:
    """Takes about so long, now and then much longer."""
    time.sleep(random.expovariate(1000 / mean_ms) * (10 if random.random() < 0.01 else 1))


def serve(name: str, handle: Handler) -> None:
    """Serves until SIGTERM."""

    class Service(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = name

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                status, value = handle([part for part in self.path.partition("?")[0].split("/") if part], body)
            except (OSError, http.client.HTTPException) as error:
                status, value = 502, {"error": str(error)}
            payload = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    server = Server((HOST, port(name)), Service)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()
