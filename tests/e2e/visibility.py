"""How long after its response a request can be asked for: marked requests, and queries until one of them has the mark."""

from __future__ import annotations

import http.client
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sylph.client.rpc import Client, Rows
from sylph.client.target import Target

_FIND = """
import px
df = px.DataFrame(table='http_events', start_time='-30s')
df = df[df.req_path == '{path}']
px.display(df[['latency']])
"""
#: A mark that is not seen for so long never will be.
_LIMIT_NS = 10_000_000_000


@dataclass(frozen=True, slots=True)
class Sighting:
    """When a marked request was seen, ns after the end of its response."""

    #: Start of the first query that has it: the row was visible then.
    query: int
    #: End of that query.
    answer: int


def sightings(socket: Path, port: int, count: int) -> Iterator[Sighting]:
    """Sends `count` marked requests to the server on `port` of this host, one after the other, and looks for each.

    Raises AssertionError when one is not found within ten seconds.
    """
    chance = random.Random(count)
    with Client(Target(socket=socket)) as client:
        for number in range(count):
            path = f"/mark-{os.getpid()}-{time.monotonic_ns()}-{number}"
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", path)
            connection.getresponse().read()
            ended = time.monotonic_ns()
            connection.close()
            while True:
                asked = time.monotonic_ns()
                found = sum(
                    len(event.columns[0])
                    for event in client.execute(_FIND.format(path=path), timeout=10)
                    if isinstance(event, Rows) and event.columns
                )
                answered = time.monotonic_ns()
                if found:
                    break
                assert answered - ended < _LIMIT_NS, f"{path} is not to be seen"
            assert found == 1
            yield Sighting(asked - ended, answered - ended)
            # Else every mark would come at the same moment between two flushes.
            time.sleep(chance.random() * 0.3)
