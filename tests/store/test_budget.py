from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sylph.store import Snapshot, Store
from sylph.store.budget import divide
from sylph.tables import TABLES
from tests.store.samples import numbers, rows, table, usage


@given(
    shares=st.lists(st.none() | st.floats(0.001, 1.5), min_size=1, max_size=12),
    total=st.integers(1, 1 << 40),
)
def test_parts_never_add_up_to_more_than_the_whole(shares: list[float | None], total: int) -> None:
    tables = [table(f"t{n}", share) for n, share in enumerate(shares)]
    parts = divide(tables, total)
    assert sum(parts.values()) <= total
    assert sum(parts.values()) >= min(total * 0.99, total * sum(share or 1 for share in shares) * 0.99) - len(parts)
    assert all(part >= 0 for part in parts.values())


def test_pixies_parts() -> None:
    parts = divide(TABLES.values(), 1 << 30)
    assert parts["http_events"] == int(0.4 * (1 << 30))
    assert parts["conn_stats"] == parts["process_stats"] == parts["network_stats"]


ACTION = st.one_of(
    st.tuples(st.just("append"), st.sampled_from("abc"), st.integers(1, 400), st.sampled_from((10, 20, 300))),
    st.tuples(st.just("append"), st.just("a"), st.integers(200, 900), st.just(200)),
    st.tuples(st.just("hold"), st.sampled_from("abc")),
    st.tuples(st.just("release")),
    st.tuples(st.just("flush")),
    st.tuples(st.just("reopen")),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    actions=st.lists(ACTION, min_size=20, max_size=120),
    memory=st.integers(200_000, 900_000),
    disk=st.sampled_from((0, 100_000, 400_000, 2_000_000)),
)
def test_no_load_exceeds_a_budget_and_no_row_comes_twice(
    actions: list[tuple[object, ...]], memory: int, disk: int
) -> None:
    tables = {"a": table("a", 0.4), "b": table("b"), "c": table("c", 0.05)}
    appended = dict.fromkeys(tables, 0)
    held: list[Snapshot] = []
    with tempfile.TemporaryDirectory() as parent:
        directory = Path(parent) / "store"

        def open_store() -> Store:
            return Store(tables, directory=directory, memory=memory, disk=disk, flush_interval=0.05)

        store = open_store()
        for action in actions:
            match action:
                case ("append", str(name), int(count), int(text)):
                    store.append(name, rows(appended[name], count, text=text))
                    appended[name] += count
                case ("hold", str(name)):
                    held.append(store.snapshot(name))
                case ("release",) if held:
                    held.pop(0).close()
                case ("flush",):
                    store.flush()
                case ("reopen",):
                    for snapshot in held:
                        snapshot.close()
                    held.clear()
                    store.close()
                    store = open_store()
                    if not disk:
                        appended = dict.fromkeys(tables, 0)
            assert store.memory_used <= memory
            assert sum(stats.hot_bytes for stats in store.stats()) <= memory
            assert usage(directory) <= disk * 1.05
        for snapshot in held:
            numbers(snapshot)
            snapshot.close()
        for name, count in appended.items():
            with store.snapshot(name) as snapshot:
                found = numbers(snapshot)
            assert not found or found[-1] < count
        store.close()
