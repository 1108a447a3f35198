"""kill -9 of a writing process at random moments, many times over on one directory."""

from __future__ import annotations

import multiprocessing
import random
import time
from pathlib import Path

import pytest

from sylph.store import Cause
from tests.store import crashing
from tests.store.samples import numbers

ROUNDS = 25


@pytest.mark.slow
def test_kill_9_loses_at_most_the_flush_interval(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.store.crashing", "pyarrow.parquet"])
    arrived, durable = context.Value("q", 0), context.Value("q", 0)
    draw = random.Random(1)
    first, lives = 0, 0
    for _ in range(ROUNDS):
        arrived.value = durable.value = first
        process = context.Process(target=crashing.write, args=(directory, first, arrived, durable), daemon=True)
        process.start()
        deadline = time.monotonic() + 30
        while arrived.value == first:
            assert process.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.001)
        history = []
        end = time.monotonic() + draw.uniform(0.0, 0.9)
        while (now := time.monotonic()) < end:
            history.append((now, arrived.value))
            time.sleep(0.005)
        finished = durable.value
        killed = time.monotonic()
        process.kill()
        process.join()
        # A third of a second for a machine on which the writer's thread has to wait for its turn.
        old = max((count for at, count in history if at < killed - crashing.FLUSH - 0.33), default=first)
        lives += old > first

        store = crashing.open_store(directory)
        with store.snapshot("events") as snapshot:
            found = numbers(snapshot)
        losses = [loss for loss in store.take_losses() if loss.cause is not Cause.TORN_SEGMENT or loss.rows > 100]
        store.close()
        assert losses == []
        last = found[-1] + 1 if found else 0
        assert found == list(range(last - len(found), last))
        assert last >= finished
        assert last >= old
        assert last <= arrived.value + 100
        first = last
    assert lives > 3
    assert first > 5000
