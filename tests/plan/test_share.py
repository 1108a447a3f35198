"""What sinks share is found, and only that."""

from __future__ import annotations

from sylph.plan.nodes import Node, Plan, Sort
from sylph.plan.rules import merge_duplicates
from sylph.plan.share import resolved, shares
from sylph.plan.text import plan_text
from sylph.testing.plans import agg, assign, call, col, join, keep, lit, plan, source, where


def rows() -> Node:
    return source("http_events", ["time_", "upid", "latency", "req_path"])


def slow() -> Node:
    return where(rows(), call("greaterThan", col(rows(), "latency"), lit(5)))


def found(*nodes: Node) -> list[tuple[str, bool]]:
    merged: Plan = merge_duplicates.apply(plan(*nodes))
    return [(type(share.node).__name__, share.blocking) for share in shares(merged)]


def test_rows_and_aggregates_that_two_sinks_read() -> None:
    total = agg(slow(), ["upid"], n=("latency", "count"))
    assert found(total, agg(slow(), n=("latency", "count"))) == [("Filter", False)]
    assert found(assign(total, x=lit(1)), keep(total, "n")) == [("Aggregate", True)]
    # The filter is read by the kept aggregate only.
    assert found(total, keep(total, "n")) == [("Aggregate", True)]


def test_what_one_sink_reads_twice_is_not_shared() -> None:
    total = agg(slow(), ["upid"], n=("latency", "count"))
    assert found(join(total, total, "inner", "upid")) == []


def test_leaves_and_columns_of_leaves_are_not_worth_it() -> None:
    assert found(rows(), rows()) == []
    assert found(agg(keep(rows(), "upid"), n=("upid", "count")), keep(rows(), "upid")) == []


def test_little_over_what_is_kept_is_not_kept_again() -> None:
    total = agg(slow(), ["upid"], n=("latency", "count"))
    many = where(total, call("greaterThan", col(total, "n"), lit(1)))
    assert found(total, many, agg(many, m=("n", "sum"))) == [("Aggregate", True)]


def test_one_share_reads_another() -> None:
    total = agg(slow(), ["upid"], n=("latency", "count"))
    again = agg(total, ["n"], m=("upid", "count"))
    merged = merge_duplicates.apply(plan(total, again, keep(again, "m")))
    first, second = shares(merged)
    assert (first.name[:9], second.name[:9]) == ("shared#0_", "shared#1_")
    assert resolved(second.node, {}) is second.node
    ready = {id(first.node): first.remote}
    assert plan_text(plan(resolved(second.node, ready))) == (
        f"sink output\n  aggregate [n] m=count(upid)\n    remote {first.name} [upid, n]\n"
    )


def test_the_order_of_a_sort_is_not_kept() -> None:
    total = agg(slow(), ["upid"], n=("latency", "count"))
    ranked = Sort(total, (("n", True),))
    assert found(ranked, keep(ranked, "n")) == [("Aggregate", True)]
