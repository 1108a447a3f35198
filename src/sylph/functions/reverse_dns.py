"""Names of addresses by reverse DNS, kept for a while; nobody waits long for them."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

#: Addresses whose names are kept, and for how long.
CACHED = 1024
KEPT_S = 300.0
#: What one batch waits for all of its names together. Answers that come later serve the next query.
WAIT_S = 1.0
_WORKERS = 8
_WAITING = 512


class Resolver:
    """A cache of names, filled by a few threads; bounded in entries, threads and questions waiting."""

    def __init__(self, workers: int = _WORKERS) -> None:
        self._names: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._asked: set[str] = set()
        self._changed = threading.Condition()
        self._questions: queue.Queue[str] = queue.Queue(_WAITING)
        self._workers = workers
        self._started = 0

    def names(self, addresses: Iterable[str], wait: float = WAIT_S) -> dict[str, str]:
        """A name for each address that has one and whose answer comes in time; itself for the others."""
        wanted = {address for address in addresses if _is_address(address)}
        deadline = time.monotonic() + wait
        found: dict[str, str] = {}
        with self._changed:
            for address in wanted:
                self._ask(address)
            while True:
                found.update(self._known(wanted - found.keys()))
                pending = (wanted - found.keys()) & self._asked
                left = deadline - time.monotonic()
                if not pending or left <= 0:
                    return found
                self._changed.wait(left)

    def _known(self, addresses: set[str]) -> dict[str, str]:
        now = time.monotonic()
        known = {}
        for address in addresses:
            name, until = self._names.get(address, ("", 0.0))
            if now < until:
                self._names.move_to_end(address)
                known[address] = name
        return known

    def _ask(self, address: str) -> None:
        if address in self._asked or self._known({address}):
            return
        try:
            self._questions.put_nowait(address)
        except queue.Full:
            return
        self._asked.add(address)
        if self._started < self._workers:
            self._started += 1
            threading.Thread(target=self._work, name="reverse-dns", daemon=True).start()

    def _work(self) -> None:
        while True:
            address = self._questions.get()
            try:
                name = socket.gethostbyaddr(address)[0]
            except (OSError, UnicodeError):
                name = address
            with self._changed:
                self._names[address] = (name, time.monotonic() + KEPT_S)
                while len(self._names) > CACHED:
                    self._names.popitem(last=False)
                self._asked.discard(address)
                self._changed.notify_all()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_RESOLVER = Resolver()


def names(addresses: pa.Array) -> pa.Array:
    """The kernel `nslookup`."""
    import pyarrow as pa

    encoded = addresses.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    found = _RESOLVER.names(distinct)
    named = pa.array([found.get(address, address) for address in distinct], pa.string())
    return named.take(encoded.indices)
