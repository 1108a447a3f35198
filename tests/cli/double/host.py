"""Serves an empty answer until it is told to end. HOST_MODE makes it fail, hang or be stubborn."""

import os
import signal
import sys
import threading

from sylph.api.auth import make_keys, read_keys
from sylph.api.server import Tcp, serve
from sylph.query.answer import Health


class Handler:
    def execute(self, request, cancel):
        yield from ()

    def health(self):
        return Health(ok=True)


def run(options):
    mode = os.environ.get("HOST_MODE", "")
    if mode == "fail":
        raise OSError("this kernel has no BTF: see px doctor")
    if mode == "crash":
        raise ZeroDivisionError("a defect")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None if mode == "stubborn" else ended.set())
    tcp = None
    if options.listen:
        keys = options.listen.keys_file
        if not keys.exists():
            make_keys(keys)
        tcp = Tcp(
            options.listen.host,
            options.listen.port,
            read_keys(keys),
            options.data_directory,
            options.listen.certificate,
            options.listen.private_key,
            options.listen.plaintext,
        )
    server = serve(Handler(), unix=options.socket, tcp=tcp)
    sys.stderr.write(f"{options} port {server.tcp_port}\n")
    ended.wait(60)
    server.stop(0.2)
    return ""
