"""One host in one process, as `px up` runs it: an agent, a broker over its data, and the API, until told to end."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import threading
from importlib.abc import MetaPathFinder
from types import FrameType

import pyarrow as pa

from sylph.agent.agent import Agent
from sylph.agent.options import Listen, Options
from sylph.api import auth
from sylph.api.server import Server, Tcp, serve
from sylph.broker.local import LocalBroker
from sylph.query.engine import Engine
from sylph.query.limits import Limits

log = logging.getLogger("sylph")


class WithoutPandas(MetaPathFinder):
    """Keeps pandas out: where it is installed, Arrow loads it with the first list that becomes an array, 28 MiB."""

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> None:
        """Refuses pandas, and leaves the rest to others."""
        if fullname == "pandas":
            raise ModuleNotFoundError("an agent does without pandas", name=fullname)


class Host:
    """A running host. `close` ends it in the order that loses nothing: questions, capture, store."""

    def __init__(self, options: Options) -> None:
        self.agent = Agent(options)
        try:
            self.engine = Engine(self.agent.dataset)
            self.server = self._serve(options)
        except BaseException:
            self.agent.close()
            raise

    def close(self) -> None:
        """Ends everything that was started."""
        self.server.stop()
        self.engine.close()
        self.agent.close()

    def _serve(self, options: Options) -> Server:
        broker = LocalBroker(self.engine, Limits(), self.agent.trouble)
        options.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return serve(broker, unix=options.socket, tcp=_tcp(options.listen, options) if options.listen else None)


def _tcp(listen: Listen, options: Options) -> Tcp:
    if not listen.keys_file.exists():
        auth.make_keys(listen.keys_file)
        log.info("made a key for clients in %s", listen.keys_file)
    return Tcp(
        host=listen.host,
        port=listen.port,
        keys=auth.read_keys(listen.keys_file),
        folder=options.data_directory,
        certificate=listen.certificate,
        private_key=listen.private_key,
        plaintext=listen.plaintext,
    )


def run(options: Options) -> str:
    """Runs a host until SIGTERM or Ctrl-C; what ended it before that, or "". Raises what `Agent` and `serve` raise."""
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    # Arrow's own allocator gives memory back after each write and clears it anew for the next one:
    # 0.1 µs a row and 48 MiB more than the system's.
    pa.set_memory_pool(pa.system_memory_pool())
    sys.meta_path.insert(0, WithoutPandas())
    host = Host(options)
    # What is loaded by now stays: it need not be looked through again and again.
    gc.collect()
    gc.freeze()
    log.info("watching (%s way of capture); questions to %s", host.agent.capture.method, options.socket)
    try:
        while not ended.wait(1.0):
            if trouble := host.agent.trouble():
                return trouble
    finally:
        log.info("ending")
        host.close()
    return ""
