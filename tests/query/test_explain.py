"""`px explain`: the text, and the table that carries it."""

from __future__ import annotations

from dataclasses import replace

from sylph.query.answer import Rows, TableMeta
from sylph.query.engine import Engine
from sylph.testing.plans import agg, plan, source
from tests.query.test_engine import dataset, served


def test_text_has_all_parts() -> None:
    node = agg(served(source("http_events", start=5)), ["service"], n=("latency", "count"))
    engine = Engine(dataset())
    text = engine.explain(plan(node))
    engine.close()
    titles = [line for line in text.splitlines() if line.startswith("==")]
    assert titles == [
        "== plan ==",
        "== after rules ==",
        "== agent part ==",
        "== broker part ==",
        "== what travels ==",
        "== SQL of output ==",
    ]
    assert "partial aggregate [service] n=count(latency)" in text
    assert "\nFROM " in text
    assert "sent_0: a row of about 340 B for each group of service" in text


def test_analyze_adds_a_table_with_times() -> None:
    node = agg(served(source("http_events", start=5)), ["service"], n=("latency", "count"))
    engine = Engine(dataset())
    results = list(engine.run(replace(plan(node), analyze=True)))
    engine.close()
    assert [r.name for r in results if isinstance(r, TableMeta)] == ["__query_plan__", "output"]
    (text,) = (r.batch["query_plan"][0].as_py() for r in results if isinstance(r, Rows) and r.name == "__query_plan__")
    graph, comment, for_people = text.partition("\n/*\n")
    assert comment
    assert graph.startswith("digraph plan {")
    assert 'label="sink output"' in graph
    assert for_people.endswith("\n*/\n")
    assert "*/" not in for_people[:-3]
    assert "output: 2 rows in" in text
    assert "read 100 rows" in text
    assert "sent_0: 2 rows, " in text
    assert "asked 1 of 1 agents: node-1; they sent " in text


def test_what_sinks_share_has_its_own_sql() -> None:
    node = agg(served(source("http_events")), ["service"], n=("latency", "count"))
    engine = Engine(dataset())
    text = engine.explain(plan(node, agg(node, m=("n", "sum"))))
    engine.close()
    assert text.index("== SQL of shared#0_") < text.index("== SQL of output ==") < text.index('FROM "shared#0_')
