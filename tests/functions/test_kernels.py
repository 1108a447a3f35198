"""Kernels that wait for the outside, and aggregates that run as kernels."""

import base64
import json
import os
import socket
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from sylph.functions.kernels import KERNELS, PREFIX, used
from sylph.functions.mapped_files import libraries, shared_libraries
from sylph.functions.registry import AGGREGATES, SCALARS
from sylph.functions.reverse_dns import CACHED, Resolver


def rows_sql(rows: list[tuple]) -> str:
    def one(value: object) -> str:
        return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else f"{value}::BIGINT"

    return ", ".join(f"({', '.join(one(value) for value in row)})" for row in rows)


def whole(duck, name: str, rows: list[tuple]) -> str:
    [overload] = AGGREGATES[name].overloads
    names = [f"a{place}" for place in range(len(overload.args))]
    source = f"(VALUES {rows_sql(rows)}) t({', '.join(names)})"
    return duck.execute(f"SELECT {overload.sql.format(*names)} FROM {source}").fetchall()[0][0]


def parts(duck, name: str, shards: list[list[tuple]]) -> str:
    [overload] = AGGREGATES[name].overloads
    names = [f"a{place}" for place in range(len(overload.args))]
    partial = ", ".join(f"{template.format(*names)} AS s{place}" for place, template in enumerate(overload.partial))
    states = " UNION ALL ".join(
        f"SELECT {partial} FROM (VALUES {rows_sql(shard)}) t({', '.join(names)})" for shard in shards
    )
    merged = [f"({template.format(f's{place}')})" for place, template in enumerate(overload.merge)]
    return duck.execute(f"SELECT {overload.final.format(*merged)} FROM ({states})").fetchall()[0][0]


def test_every_declared_kernel_exists():
    declared = set()
    for function in [*SCALARS.values(), *AGGREGATES.values()]:
        for overload in function.overloads:
            declared |= used(getattr(overload, "kernel", None) or overload.sql or "")
            if getattr(overload, "kernel", None):
                declared.add(overload.kernel.removeprefix(PREFIX))
    assert declared == set(KERNELS)


PATHS = [(f"/api/users/{name}",) for name in ("ann", "bob", "cy", "di", "ed", "flo", "ann")] + [("/healthz",)]


def test_clusters_in_parts(duck):
    assert whole(duck, "_build_request_path_clusters", PATHS) == parts(
        duck, "_build_request_path_clusters", [PATHS[:3], PATHS[2:5], PATHS[5:]]
    )
    clusters = whole(duck, "_build_request_path_clusters", PATHS).replace("'", "''")
    predict = f"SELECT px_predict_request_path_cluster('/api/users/zoe', '{clusters}')"
    assert duck.execute(predict).fetchall() == [("/api/users/*",)]


def test_kmeans_in_parts(duck):
    rows = [(json.dumps([float(value)] * 64), 2) for value in (0, 1, 50, 51)]
    model = whole(duck, "_kmeans_fit", rows)
    assert model == parts(duck, "_kmeans_fit", [rows[:1], rows[1:]])
    assert sorted(centroid[0] for centroid in json.loads(model)["centroids"]) == [0.5, 50.5]


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data: bytes) -> list[tuple[int, int | bytes]]:
    """Protobuf fields of a message of varints and byte strings."""
    found: list[tuple[int, int | bytes]] = []
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            found.append((key >> 3, data[at : at + value]))
            at += value
        else:
            found.append((key >> 3, value))
    return found


def decoded(profile: str) -> dict[tuple[str, ...], tuple[int, int]]:
    message = fields(base64.b64decode(profile))
    strings = [value.decode() for number, value in message if number == 6]
    names = {dict(fields(value))[1]: strings[dict(fields(value))[2]] for number, value in message if number == 5}
    stacks = {}
    for sample in (dict(fields(value)) for number, value in message if number == 2):
        packed = []
        for number in (1, 2):
            at, values = 0, []
            while at < len(sample[number]):
                value, at = varint(sample[number], at)
                values.append(value)
            packed.append(values)
        stacks[tuple(names[location] for location in packed[0])] = tuple(packed[1])
    return stacks


def test_pprof(duck):
    rows = [("main;run;é", 2, 11), ("main;idle", 1, 11), ("main;run;é", 3, 11)]
    expected = {("é", "run", "main"): (5, 55_000_000), ("idle", "main"): (1, 11_000_000)}
    assert decoded(whole(duck, "pprof", rows)) == expected
    assert decoded(parts(duck, "pprof", [rows[:1], rows[1:]])) == expected


def upid_of(pid: int) -> int:
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return 7 << 96 | pid << 64 | ticks


def test_shared_libraries_of_this_process():
    found = libraries(upid_of(os.getpid()))
    assert any("libc.so" in path for path in found)
    assert libraries(upid_of(os.getpid()) + 1) == []
    assert libraries(0) == []
    upids = pa.ExtensionArray.from_storage(
        pa.uuid(), pa.array([upid_of(os.getpid()).to_bytes(16, "big"), bytes(16)], pa.binary(16))
    )
    assert [json.loads(text) for text in shared_libraries(upids).to_pylist()] == [found, []]


def test_names_by_reverse_dns(monkeypatch):
    monkeypatch.setattr(socket, "gethostbyaddr", lambda address: (f"host-{address}", [], [address]))
    resolver = Resolver()
    assert resolver.names(["10.0.0.1", "::1", "text", ""], wait=10) == {"10.0.0.1": "host-10.0.0.1", "::1": "host-::1"}


def test_a_slow_resolver_is_not_waited_for_and_its_answer_is_kept(monkeypatch):
    asked = threading.Event()

    def slow(address: str) -> tuple[str, list[str], list[str]]:
        assert asked.wait(20)
        return "late", [], []

    monkeypatch.setattr(socket, "gethostbyaddr", slow)
    resolver = Resolver()
    assert resolver.names(["10.0.0.1"], wait=0.05) == {}
    asked.set()
    assert resolver.names(["10.0.0.1"], wait=10) == {"10.0.0.1": "late"}


def test_no_name_gives_the_address_and_the_cache_is_bounded(monkeypatch):
    def none(address: str) -> None:
        raise socket.herror(1, "Unknown host")

    monkeypatch.setattr(socket, "gethostbyaddr", none)
    resolver = Resolver(workers=2)
    addresses = [f"10.0.{n >> 8}.{n & 255}" for n in range(2000)]
    for start in range(0, 2000, 250):
        assert resolver.names(addresses[start : start + 250], wait=10) == {
            address: address for address in addresses[start : start + 250]
        }
    assert len(resolver._names) <= CACHED


@pytest.mark.parametrize("count", [1, 5000])
def test_a_kernel_takes_batches_of_any_size(duck, count):
    sql = (
        f"SELECT count(DISTINCT v) FROM (SELECT px_uri_parse('http://h/' || x::VARCHAR) AS v FROM range({count}) t(x))"
    )
    assert duck.execute(sql).fetchall() == [(count,)]
