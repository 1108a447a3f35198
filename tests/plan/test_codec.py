"""Plans as bytes: what goes in comes out, and nothing hostile gets in."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sylph.functions.registry import TABLE_FUNCTIONS
from sylph.plan.codec import MAX_BYTES, decode, encode
from sylph.plan.errors import PlanError
from sylph.plan.nodes import Limit, Node, Plan, TableFunctionSource, Union
from sylph.plan.optimise import optimise
from sylph.plan.split import split
from sylph.plan.sql import statement
from sylph.plan.text import plan_text
from sylph.tables import TABLES
from sylph.testing.plans import agg, assign, call, col, join, keep, lit, plan, source, where
from sylph.testing.strategies import plans


def example() -> Plan:
    node = keep(source("http_events", start=3), "time_", "upid", "latency", "req_path")
    node = assign(node, pod=call("upid_to_pod_name", col(node, "upid")), inf=lit(float("inf")), big=lit(2**63 - 1))
    node = assign(node, hit=call("regex_match", lit("^/a.*"), col(node, "req_path")))
    rows = where(node, call("notEqual", col(node, "pod"), lit("é'\"\0")))
    total = agg(rows, ["pod"], n=("latency", "count"), q=("latency", "quantiles"))
    function = TABLE_FUNCTIONS["GetSchemas"]
    schemas = TableFunctionSource("GetSchemas", {}, function.relation)
    each = join(total, schemas, "outer")
    return plan(join(rows, total, "left", "pod"), each, Union((rows, rows)), Limit(total, 5), schemas)


def same(a: Plan, b: Plan) -> None:
    assert plan_text(a) == plan_text(b)
    for left, right in zip(a.sinks, b.sinks, strict=True):
        assert left.input.relation == right.input.relation
        assert statement(left.input).text() == statement(right.input).text()


def test_round_trip() -> None:
    same(decode(encode(example()), TABLES), example())
    halves = split(optimise(example()))
    same(decode(encode(halves.agent), TABLES), halves.agent)
    same(decode(encode(halves.broker), TABLES), halves.broker)


@given(plans([source("http_events"), source("conn_stats")], limits=True))
@settings(max_examples=25, deadline=None)
def test_round_trip_of_any_plan(node: Node) -> None:
    same(decode(encode(plan(node)), TABLES), plan(node))


@given(st.binary(max_size=400))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(PlanError):
        decode(data, TABLES)


def test_depth_and_size_are_bounded() -> None:
    for data in (b"[" * 100_000, b'{"a":' * 100_000, b" " * (MAX_BYTES + 1)):
        with pytest.raises(PlanError):
            decode(data, TABLES)
    form = json.loads(encode(plan(source("http_events", ["latency"]))))
    deep: list[Any] = ["c", "latency", 1]
    for _ in range(300):
        deep = ["f", "negate", [deep], 1]
    form["nodes"].append(["map", 0, [["x", deep]]])
    with pytest.raises(PlanError, match="too deep"):
        decode(json.dumps(form).encode(), TABLES)
    form["nodes"] = [form["nodes"][0]] * 10_001
    with pytest.raises(PlanError, match="more than 10000"):
        decode(json.dumps(form).encode(), TABLES)


def _places(form: object) -> list[tuple[Any, Any]]:
    """Every (container, key) of a JSON value."""
    places: list[tuple[Any, Any]] = []
    stack = [form]
    while stack:
        item = stack.pop()
        keys = item.keys() if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        for key in list(keys):
            places.append((item, key))
            stack.append(item[key])  # type: ignore[index]
    return places


JUNK: list[Any] = [
    None, True, -1, 0, 1, 7, 2**70, 1.5, "", "x", "\ud800", "time_", "http_events", "count", "add", "source", "map",
    [], [[]], {}, {"i": "9" * 30}, {"i": "x"}, {"f": "nan"}, {"f": "0x1p99999"}, ["c", "latency", 1], [0, 0, 0, 0], "#0",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_a_mutated_plan_is_refused_or_runs(seed: int) -> None:
    """Whatever decodes can be written as SQL: the two agree on what a plan is."""
    chance = random.Random(seed)
    originals = [
        encode(example()),
        *(map(encode, (split(optimise(example())).agent, split(optimise(example())).broker))),
    ]
    refused = 0
    for _ in range(500):
        form = json.loads(chance.choice(originals))
        for _ in range(chance.randint(1, 3)):
            container, key = chance.choice(_places(form))
            if chance.random() < 0.2:
                del container[key]
            else:
                # A copy: what is put in twice and changed later could come to hold itself.
                container[key] = copy.deepcopy(chance.choice([*JUNK, chance.choice(_places(form))[1], container[key]]))
            if not _places(form):
                break
        try:
            got = decode(json.dumps(form).encode(), TABLES)
        except PlanError:
            refused += 1
            continue
        for sink in optimise(got).sinks:
            statement(sink.input).text().encode()
    assert refused > 200


def test_types_are_this_sides_own() -> None:
    form = json.loads(encode(plan(source("http_events", ["latency", "req_path"]))))
    form["nodes"].append(["map", 0, [["x", ["f", "add", [["c", "latency", 1], ["c", "req_path", 1]], 1]]]])
    form["sinks"][0][0] = 1
    with pytest.raises(PlanError, match="could not find scalar function 'add' with arguments"):
        decode(json.dumps(form).encode(), TABLES)


@pytest.mark.parametrize("table", ["nope", "http_events; DROP TABLE x", "entity_process"])
def test_tables_are_this_sides_own(table: str) -> None:
    form = json.loads(encode(plan(source("http_events", ["latency"]))))
    form["nodes"][0][1] = table
    with pytest.raises(PlanError, match="there is no table"):
        decode(json.dumps(form).encode(), TABLES)
