"""Each rewrite rule on the text of a plan before and after."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from sylph.plan.nodes import Filter, Limit, Map, Node, Plan, Union
from sylph.plan.optimise import optimise
from sylph.plan.rules import (
    merge_duplicates,
    merge_filters,
    merge_maps,
    prune_columns,
    push_filters,
    push_limits,
    push_time_bounds,
    remove_dead,
)
from sylph.plan.text import plan_text
from sylph.tables.types import DataType
from sylph.testing.plans import agg, assign, call, col, join, keep, lit, plan, source, where


def rows() -> Node:
    return source("http_events", ["time_", "upid", "latency", "req_path"])


def time(node: Node, operator: str, value: int) -> Filter:
    return where(node, call(operator, col(node, "time_"), lit(value, DataType.TIME64NS)))


def slow(node: Node, column: str = "latency") -> Filter:
    return where(node, call("greaterThan", col(node, column), lit(5)))


def check(rule: Callable[[Plan], Plan], before: Plan, expected: str) -> None:
    """A rule may move a node by one place at a time; `optimise` repeats it."""
    after = rule(before)
    while (more := rule(after)) is not after and plan_text(more) != plan_text(after):
        after = more
    assert plan_text(after) == dedent(expected).lstrip()


def test_merge_duplicates() -> None:
    before = plan(slow(rows()), agg(slow(rows()), n=("latency", "count")))
    expected = """
        sink output
          filter (latency > 5) #1
            source http_events [time_, upid, latency, req_path]
        sink output_1
          aggregate [] n=count(latency)
            #1
        """
    check(merge_duplicates.apply, before, expected)


def test_merge_duplicates_keeps_what_only_looks_alike() -> None:
    node = rows()
    values = [lit(True), lit(1), lit(1.0), lit("1"), lit(float("nan"))]
    before = plan(*(Map(node, (("x", value),)) for value in values))
    assert len({id(sink.input) for sink in merge_duplicates.apply(before).sinks}) == len(values)


def test_push_filters_through_map_join_union_and_aggregate() -> None:
    mapped = assign(rows(), twice=call("multiply", col(rows(), "latency"), lit(2)))
    both = where(
        mapped,
        call(
            "logicalAnd",
            call("greaterThan", col(mapped, "latency"), lit(5)),
            call("greaterThan", col(mapped, "twice"), lit(7)),
        ),
    )
    expected = """
        sink output
          filter (twice > 7)
            map time_, upid, latency, req_path, twice=(latency * 2)
              filter (latency > 5)
                source http_events [time_, upid, latency, req_path]
        """
    check(push_filters.apply, plan(both), expected)

    left, right = keep(rows(), "latency", "upid"), agg(rows(), ["upid"], n=("latency", "count"))
    expected = """
        sink output
          join left on upid=upid [l.latency, l.upid as upid_x, r.upid as upid_y, r.n]
            map latency, upid
              filter (latency > 5)
                source http_events [time_, upid, latency, req_path]
            aggregate [upid] n=count(latency)
              source http_events [time_, upid, latency, req_path]
        """
    check(push_filters.apply, plan(slow(join(left, right, "left", "upid"))), expected)
    # A side that may be missing has zero values after the join, not before.
    kept = plan(slow(join(left, right, "left", "upid"), "n"))
    assert push_filters.apply(kept) is kept
    outer = plan(slow(join(left, right, "outer", "upid")))
    assert push_filters.apply(outer) is outer

    expected = """
        sink output
          union
            filter (latency > 5)
              source http_events [time_, upid, latency, req_path]
            filter (latency > 5)
              source http_events [time_, upid, latency, req_path]
        """
    check(push_filters.apply, plan(slow(Union((rows(), rows())))), expected)

    expected = """
        sink output
          aggregate [latency] n=count(upid)
            filter (latency > 5)
              source http_events [time_, upid, latency, req_path]
        """
    check(push_filters.apply, plan(slow(agg(rows(), ["latency"], n=("upid", "count")))), expected)
    of_result = plan(slow(agg(rows(), ["upid"], n=("latency", "count")), "n"))
    assert push_filters.apply(of_result) is of_result


def test_push_filters_leaves_what_others_read_too() -> None:
    shared = keep(rows(), "latency")
    before = plan(slow(shared), shared)
    assert push_filters.apply(before) is before


@pytest.mark.parametrize(
    ("operator", "bounds"),
    [
        ("greaterThan", "[11, -]"),
        ("greaterThanEqual", "[10, -]"),
        ("lessThan", "[-, 9]"),
        ("lessThanEqual", "[-, 10]"),
        ("equal", "[10, 10]"),
    ],
)
def test_push_time_bounds(operator: str, bounds: str) -> None:
    expected = f"""
        sink output
          source http_events [time_, upid, latency, req_path] time_ in {bounds}
        """
    check(push_time_bounds.apply, plan(time(rows(), operator, 10)), expected)


def test_time_bounds_only_narrow() -> None:
    node = time(source("http_events", ["time_"], 5, 20), "greaterThan", 2)
    assert "time_ in [5, 20]" in plan_text(push_time_bounds.apply(plan(node)))
    kept = plan(time(rows(), "notEqual", 3))
    assert push_time_bounds.apply(kept) is kept


def test_merge_maps_and_drop_those_that_change_nothing() -> None:
    node = assign(rows(), a=call("add", col(rows(), "latency"), lit(1)))
    node = assign(node, b=call("add", col(node, "a"), lit(2)))
    expected = """
        sink output
          map time_, b=((latency + 1) + 2)
            source http_events [time_, upid, latency, req_path]
        """
    check(lambda p: merge_maps.apply(merge_maps.apply(p)), plan(keep(node, "time_", "b")), expected)
    same = plan(keep(rows(), *rows().relation))
    assert plan_text(merge_maps.apply(same)) == plan_text(plan(rows()))
    # `a` is needed twice: merging would compute it twice.
    twice = plan(assign(node, c=call("add", col(node, "a"), lit(3))))
    assert "b=(a + 2)" in plan_text(merge_maps.apply(twice))


def test_merge_filters_so_that_each_term_sinks_on_its_own() -> None:
    node = assign(rows(), pod=call("upid_to_pod_name", col(rows(), "upid")))
    named = where(node, call("notEqual", col(node, "pod"), lit("")))
    expected = """
        sink output
          filter ((pod != "") and (latency > 5))
            map time_, upid, latency, req_path, pod=px.upid_to_pod_name(upid)
              source http_events [time_, upid, latency, req_path]
        """
    check(merge_filters.apply, plan(slow(named)), expected)
    expected = """
        sink output
          filter (pod != "")
            map time_, upid, latency, req_path, pod=px.upid_to_pod_name(upid)
              filter (latency > 5)
                source http_events [time_, upid, latency, req_path] time_ in [11, -]
        """
    check(optimise, plan(time(slow(named), "greaterThan", 10)), expected)
    both = plan(named, slow(named))
    assert merge_filters.apply(both) is both


def test_merge_filters_leaves_to_agents_what_they_can_do() -> None:
    node = keep(source("http_events"), "remote_addr", "latency")
    resolved = where(slow(node), call("equal", call("ip_to_pod_id", col(node, "remote_addr")), lit("x")))
    before = plan(resolved)
    assert merge_filters.apply(before) is before


def test_time_bounds_go_into_a_source_that_others_read_too() -> None:
    shared = rows()
    expected = """
        sink output
          source http_events [time_, upid, latency, req_path] time_ in [11, -]
        sink output_1
          source http_events [time_, upid, latency, req_path]
        """
    check(push_time_bounds.apply, plan(time(shared, "greaterThan", 10), shared), expected)


def test_push_limits() -> None:
    node = assign(rows(), pod=call("upid_to_pod_name", col(rows(), "upid")))
    expected = """
        sink output
          limit 3
            map time_, upid, latency, req_path, pod=px.upid_to_pod_name(upid)
              limit 3 per agent
                source http_events [time_, upid, latency, req_path]
        """
    check(push_limits.apply, plan(Limit(node, 3)), expected)
    expected = """
        sink output
          limit 3
            source http_events [time_, upid, latency, req_path]
        """
    check(push_limits.apply, plan(Limit(Limit(rows(), 7), 3)), expected)
    timed = plan(Limit(Union((rows(), rows())), 3))
    assert push_limits.apply(timed) is timed


def test_prune_columns() -> None:
    node = assign(rows(), twice=call("multiply", col(rows(), "latency"), lit(2)))
    joined = join(node, agg(node, ["upid"], n=("twice", "count"), m=("twice", "max")), "inner", "upid")
    expected = """
        sink output
          map latency, n
            join inner on upid=upid [l.latency, r.n]
              map upid, latency, twice=(latency * 2) #1
                source http_events [upid, latency]
              aggregate [upid] n=count(twice)
                #1
        """
    check(prune_columns.apply, plan(keep(joined, "latency", "n")), expected)


def test_prune_keeps_a_column_where_only_rows_count() -> None:
    expected = """
        sink output
          map x=1
            source http_events [time_]
        """
    check(prune_columns.apply, plan(Map(rows(), (("x", lit(1)),))), expected)


def test_remove_dead() -> None:
    node = rows()
    always = where(node, call("logicalAnd", lit(True), call("greaterThan", col(node, "latency"), lit(5))))
    expected = """
        sink output
          filter (latency > 5)
            source http_events [time_, upid, latency, req_path]
        """
    check(remove_dead.apply, plan(Union((always,))), expected)


def test_remove_dead_shortens_conditions() -> None:
    node = rows()
    short = call("logicalOr", lit(False), call("greaterThan", col(node, "latency"), lit(5)))
    chain = call("logicalNot", call("logicalAnd", lit(True), short))
    expected = """
        sink output
          filter px.logicalNot((latency > 5))
            source http_events [time_, upid, latency, req_path]
        """
    check(remove_dead.apply, plan(where(node, chain)), expected)
    other = plan(where(node, call("logicalOr", lit(True), short.args[1])))
    assert "(True or (latency > 5))" in plan_text(remove_dead.apply(other))


def test_all_rules_together() -> None:
    node = source("http_events")
    node = assign(node, service=call("upid_to_service_name", col(node, "upid")))
    node = time(node, "greaterThanEqual", 100)
    node = assign(node, slow=call("greaterThan", col(node, "latency"), lit(5)))
    total = agg(node, ["service"], n=("latency", "count"), unused=("resp_body_size", "sum"), slow=("slow", "mean"))
    expected = """
        sink output
          aggregate [service] n=count(latency), slow=mean(slow)
            map latency, service=px.upid_to_service_name(upid), slow=(latency > 5)
              source http_events [upid, latency] time_ in [100, -]
        """
    check(optimise, plan(keep(total, "service", "n", "slow")), expected)


def test_a_plan_of_a_thousand_operators_is_rewritten_in_time() -> None:
    node: Node = rows()
    for i in range(1000):
        node = assign(node, latency=call("add", col(node, "latency"), lit(i)))
        node = slow(node)
    assert plan_text(optimise(plan(node))).startswith("sink output\n")
