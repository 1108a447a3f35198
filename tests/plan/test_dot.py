"""Plans as DOT graphs."""

from sylph.plan.dot import plan_dot
from sylph.plan.nodes import Plan
from sylph.testing.plans import agg, call, col, keep, lit, plan, source, where


def test_a_graph_has_each_operator_once_and_its_inputs() -> None:
    node = keep(source("http_events"), "req_path", "latency")
    slow = where(node, call("equal", col(node, "req_path"), lit('a"b\\')))
    assert plan_dot(plan(slow, agg(slow, n=("latency", "count")))).split("\n")[3:] == [
        r'  n1 [label="map req_path, latency"];',
        "  n0 -> n1;",
        r'  n2 [label="filter (req_path == \"a\\\"b\\\\\")"];',
        "  n1 -> n2;",
        r'  n3 [label="aggregate [] n=count(latency)"];',
        "  n2 -> n3;",
        '  s0 [label="sink output"];',
        "  n2 -> s0;",
        '  s1 [label="sink output_1"];',
        "  n3 -> s1;",
        "}",
        "",
    ]


def test_long_labels_are_cut() -> None:
    (first,) = (line for line in plan_dot(plan(source("http_events"))).split("\n") if "source" in line)
    assert len(first) < 230
    assert first.endswith('..."];')


def test_nothing_is_an_empty_graph() -> None:
    assert plan_dot(Plan(())) == "digraph plan {\n  node [shape=box];\n}\n"
