"""Mutated plans, and what must hold of any bytes that claim to be one."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Sequence
from typing import Any

from sylph.library import loader
from sylph.plan.codec import decode, decode_part, encode
from sylph.plan.errors import PlanError
from sylph.plan.nodes import Plan
from sylph.plan.optimise import optimise
from sylph.plan.share import shares
from sylph.plan.split import split
from sylph.plan.sql import statement
from sylph.pxl.compile import check_script
from sylph.pxl.errors import CompileError
from sylph.pxl.vis import PXType, load_vis
from sylph.tables import TABLES

#: What is put in the place of something else.
JUNK: tuple[Any, ...] = (
    None, True, -1, 0, 1, 7, 2**70, 1.5, "", "x", "\ud800", "time_", "http_events", "count", "add", "source", "map",
    "asid", "upid", [], [[]], {}, {"i": "9" * 30}, {"i": "x"}, {"f": "nan"}, {"f": "0x1p99999"}, ["c", "latency", 1],
    [0, 0, 0, 0], "#0", "sent_0", "\0", '";--', "{0}", "remote", "merge",
)  # fmt: skip


def parts(plan: Plan) -> list[bytes]:
    """A compiled plan as its broker and its agents would get it."""
    try:
        halves = split(optimise(plan))
    except PlanError:
        return [encode(plan)]
    return [encode(plan), encode(halves.agent), encode(halves.broker)]


def library_parts(every: int = 1) -> list[bytes]:
    """Every script of the library that is a plan, or each n-th, with all the tables that its vis.json asks for."""
    found: list[bytes] = []
    for script in sorted(loader.FOLDER.rglob("*.pxl"))[::every]:
        if "import pxtrace" in script.read_text():
            continue  # It reads tables that it deploys first.
        vis_file = script.with_name("vis.json")
        calls = []
        if vis_file.exists():
            vis = load_vis(vis_file.read_text())
            made_up = {PXType.PX_INT64: "1", PXType.PX_FLOAT64: "1.0", PXType.PX_BOOLEAN: "true"}
            calls = vis.exec_funcs({v.name: made_up.get(v.type, "a/b") for v in vis.variables if v.default is None})
        # What other scripts import displays nothing itself.
        with contextlib.suppress(CompileError):
            found += parts(check_script(script.read_text(), now_ns=10**18, exec_funcs=calls).plan)
    return found


def places(form: object) -> list[tuple[Any, Any]]:
    """Every (container, key) of a JSON value."""
    found: list[tuple[Any, Any]] = []
    stack = [form]
    while stack:
        item = stack.pop()
        keys = item.keys() if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        for key in list(keys):
            found.append((item, key))
            stack.append(item[key])  # type: ignore[index]
    return found


def mutated(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """One of the plans with some of its values, or some of its bytes, changed; also with parts of another."""
    data = chance.choice(seeds)
    if chance.random() < 0.25:
        return _bytes_changed(data, chance.choice(seeds), chance)
    form = json.loads(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        found = places(form)
        if not found:
            break
        container, key = chance.choice(found)
        act = chance.random()
        alike = [box[place] for box, place in found if type(box[place]) is type(container[key])]
        if not isinstance(container[key], list | dict) and act < 0.7:
            # Still of its type: such plans often are not refused.
            container[key] = chance.choice(alike)
        elif act < 0.15:
            del container[key]
        elif act < 0.25 and isinstance(container, list):
            container[key:key] = [container[key]] * chance.choice((1, 2, 50, 3000))
        elif act < 0.35:
            for _ in range(chance.choice((1, 5, 200))):
                container[key] = ["f", "negate", [container[key]], 1]
        elif act < 0.55:
            other, place = chance.choice(places(json.loads(chance.choice(seeds))))
            container[key] = other[place]
        else:
            own, place = chance.choice(found)
            container[key] = chance.choice((*JUNK, json.loads(json.dumps(own[place])) if place in _keys(own) else None))
    try:
        return json.dumps(form).encode()
    except RecursionError:
        return data


def _keys(container: Any) -> Any:
    return container if isinstance(container, dict) else range(len(container))


def _bytes_changed(data: bytes, other: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0:
                changed[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del changed[place : place + chance.randint(1, 40)]
            case 2:
                begin = chance.randrange(len(other))
                changed[place:place] = other[begin : begin + chance.randint(1, 200)]
            case _:
                changed[place:place] = chance.choice((b"[", b"]", b"{", b'"', b"\\u0000", b"1e999", b"-", b"0" * 5000))
    return bytes(changed)


def read(data: bytes) -> Plan | None:
    """What a peer does with bytes before it runs them. None: refused, with a PlanError; anything else is a bug."""
    try:
        plan = decode(data, TABLES)
        shares(plan)
        for sink in plan.sinks:
            statement(sink.input).text().encode()
    except PlanError:
        return None
    with contextlib.suppress(PlanError):
        decode_part(data, TABLES)
    return plan
