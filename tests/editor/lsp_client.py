"""A client of the language server protocol: the server as a process of its own, JSON-RPC over its streams."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

from tests.cli.conftest import environment

TIMEOUT_S = 100


class Editor:
    """A client of the protocol. What the server sends by itself is kept in `notices`."""

    def __init__(self, encodings=("utf-16",), command=(sys.executable, "-m", "sylph.cli.main", "lsp"), **capabilities):
        self.process = subprocess.Popen(
            [*command, "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        self.received = queue.Queue()
        self.notices = []
        self.opened = []
        self.number = 0
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        general = {"general": {"positionEncodings": list(encodings)}}
        self.server = self.ask("initialize", processId=os.getpid(), rootUri=None, capabilities=general | capabilities)
        self.tell("initialized")

    def _read(self):
        stream = self.process.stdout
        while header := stream.readline():
            length = int(header.split(b":")[1])
            while stream.readline().strip():
                pass
            self.received.put(json.loads(stream.read(length)))

    def send(self, message):
        raw = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(raw) + raw)
        self.process.stdin.flush()

    def tell(self, method, **params):
        self.send({"method": method, "params": params})

    def ask(self, method, **params):
        self.number += 1
        self.send({"id": self.number, "method": method, "params": params})
        return self.until(lambda message: message.get("id") == self.number and "method" not in message)["result"]

    def until(self, wanted):
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            message = self.received.get(timeout=max(0.01, deadline - time.monotonic()))
            if wanted(message):
                return message
            self.notices.append(message)

    def diagnostics(self, uri):
        """The next diagnostics of a document."""

        def wanted(message):
            return message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri

        for position, message in enumerate(self.notices):
            if wanted(message):
                return self.notices.pop(position)["params"]["diagnostics"]
        return self.until(wanted)["params"]["diagnostics"]

    def open(self, uri, text, language="pxl"):
        document = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.opened.append(uri)
        self.tell("textDocument/didOpen", textDocument=document)

    def change(self, uri, text):
        document = {"uri": uri, "version": 2}
        self.tell("textDocument/didChange", textDocument=document, contentChanges=[{"text": text}])

    def at(self, method, uri, line, character):
        return self.ask(method, textDocument={"uri": uri}, position={"line": line, "character": character})

    def close(self):
        self.ask("shutdown")
        self.tell("exit")
        assert self.process.wait(TIMEOUT_S) == 0
        assert self.process.stderr.read() == b""


@contextmanager
def started(**settings):
    """An editor with its server, which is gone afterwards."""
    found = Editor(**settings)
    try:
        yield found
        if found.process.poll() is None:
            found.close()
    finally:
        found.process.kill()
        found.process.wait()
        found.reader.join()
        for stream in (found.process.stdin, found.process.stdout, found.process.stderr):
            stream.close()
