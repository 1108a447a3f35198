"""A plan from a peer that means no good: mutated plans of the library. Longer: scripts/fuzz_plan.py."""

from __future__ import annotations

import contextlib
import json
import random
import time
from functools import cache

import pytest

from sylph.plan.codec import MAX_OPERATORS, decode, decode_part, encode
from sylph.plan.errors import PlanError
from sylph.plan.nodes import Node, Union
from sylph.plan.optimise import optimise
from sylph.plan.share import shares
from sylph.plan.split import split
from sylph.plan.sql import statement
from sylph.query.answer import QueryError
from sylph.query.engine import Engine
from sylph.query.limits import Limits
from sylph.tables import TABLES
from sylph.testing.dataset import MemoryDataset
from sylph.testing.plan_fuzz import library_parts, mutated, read
from sylph.testing.plans import agg, assign, call, col, keep, lit, plan, source, where

#: Seconds for one test of many plans; the longer mode is a script.
SECONDS = 8.0


@cache
def seeds() -> list[bytes]:
    return library_parts(every=4)


def test_every_plan_of_the_library_travels() -> None:
    assert len(seeds()) > 40
    for data in seeds():
        assert encode(decode(data, TABLES)) == data


@pytest.mark.parametrize("seed", range(2))
def test_mutated_plans_are_refused_or_can_be_written(seed: int) -> None:
    chance = random.Random(seed)
    given = seeds()
    ends = time.monotonic() + SECONDS
    refused = tried = 0
    # A hundred on a slow machine too: of a few, all may be refused, or none.
    while tried < 100 or (time.monotonic() < ends and tried < 1000):
        data = mutated(given, chance)
        began = time.thread_time()
        refused += read(data) is None
        assert time.thread_time() - began < 5, data[:500]
        tried += 1
    assert 0 < refused < tried


def test_what_is_not_refused_runs_or_says_why() -> None:
    """Only QueryError comes out of the engine, whatever plan it was given."""
    chance = random.Random(7)
    engine = Engine(MemoryDataset(), running=1)
    for _ in range(12):
        data = chance.choice(seeds())
        changed = next((one for one in (mutated([data], chance) for _ in range(10)) if read(one)), data)
        with contextlib.suppress(QueryError):
            list(engine.run_part(decode(changed, TABLES), limits=Limits(timeout=5, memory=64 * 2**20)))
    # It still answers.
    assert list(engine.run_part(plan(source("http_events"))))
    engine.close()


def test_an_agent_is_asked_for_its_part_only() -> None:
    node = source("http_events", ["upid", "latency", "remote_addr"])
    halves = split(optimise(plan(agg(node, ["upid"], n=("latency", "count")))))
    assert decode_part(encode(halves.agent), TABLES).sinks
    with pytest.raises(PlanError, match="reads what agents sent"):
        decode_part(encode(halves.broker), TABLES)
    resolved = assign(node, pod=call("ip_to_pod_id", col(node, "remote_addr")))
    with pytest.raises(PlanError, match="'ip_to_pod_id' is the broker's"):
        decode_part(encode(plan(resolved)), TABLES)


def test_operators_in_a_row_are_bounded() -> None:
    node: Node = keep(source("http_events"), "time_", "latency")
    for number in range(MAX_OPERATORS - 2):
        node = where(node, call("notEqual", col(node, "latency"), lit(number)))
    assert decode(encode(plan(node)), TABLES).sinks
    with pytest.raises(PlanError, match="operators in a row"):
        decode(encode(plan(agg(where(node, lit(True)), n=("latency", "count")))), TABLES)


def test_an_append_to_itself_many_times_stays_small() -> None:
    node: Node = keep(source("http_events"), "time_", "latency")
    for _ in range(60):
        node = Union((node, node))
    data = encode(plan(node))
    began = time.thread_time()
    got = decode(data, TABLES)
    shares(got)
    assert len(statement(got.sinks[0].input).text()) < 50_000
    assert time.thread_time() - began < 5
    engine = Engine(MemoryDataset(), running=1)
    assert list(engine.run_part(got, limits=Limits(timeout=20)))
    engine.close()


def test_expressions_that_grow_when_written_are_refused() -> None:
    node = source("http_events", ["latency"])
    form = json.loads(encode(plan(assign(node, x=lit(1)))))
    many = [[f"x{i}", _nested(12)] for i in range(400)]
    form["nodes"][1][2] = many
    got = decode(json.dumps(form).encode(), TABLES)
    with pytest.raises(PlanError, match="SQL"):
        statement(got.sinks[0].input)


def _nested(depth: int) -> list[object]:
    value: list[object] = ["c", "latency", 1]
    for _ in range(depth):
        value = ["f", "bin", [["l", {"i": "10"}, 2, 1], value], 1]
    return value
