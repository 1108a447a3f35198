"""Every script runs: over plausible rows in a real store it has something to show, over any rows it does not break,
and two agents answer as one does.

The rows are generated: see `sylph.testing.traffic`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import cache

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sylph.broker.local import LocalBroker
from sylph.library import loader
from sylph.library.loader import Script
from sylph.pxl.compile import ExecFunc, compile_script
from sylph.query.answer import (
    CancelToken,
    Code,
    FunctionCall,
    QueryError,
    QueryWarning,
    Result,
    Rows,
    ScriptRequest,
    TableMeta,
)
from sylph.query.engine import Engine
from sylph.query.limits import Limits
from sylph.query.sharded import ShardedEngine
from sylph.store import Store
from sylph.tables import TABLES
from sylph.tables.rows import record_batch
from sylph.tables.types import arrow_schema
from sylph.testing import cluster, strategies, traffic
from sylph.testing.cluster import CART, CURL, NODE, WEB, WEB_2
from sylph.testing.dataset import MemoryDataset, StoreDataset

#: Arguments, where the defaults of vis.json have nothing to say of the generated rows.
ARGUMENTS = {
    "namespace": "shop",
    "pod": WEB.full_name,
    "baseline_pod": WEB_2.full_name,
    "requesting_pod": CURL.full_name,
    "responding_pod": WEB.full_name,
    "node": NODE,
    "service": WEB.service,
    "ip": CART.ip,
    "query": "SELECT * FROM items WHERE id = ?",
}
DATA = {"namespace": "data"}
OWN_ARGUMENTS = {
    "px/cql_flow_graph": DATA,
    "px/mysql_flow_graph": DATA,
    "px/pgsql_flow_graph": DATA,
    "px/redis_flow_graph": DATA,
    "px/kafka_producer_consumer_latency": {**DATA, "topic": "orders"},
    "px/upids": {"namespace": "shop"},
    "px/http_trace_id": {"start_time": "-5m"},
    "pxbeta/service_endpoint": {"service": CART.service, "endpoint": "/cart/*/add"},
    "pxbeta/service_endpoints": {"service": CART.service},
}
#: Tables without rows, and why.
EMPTY = {
    ("px/tracepoint_status", "Tracepoint Status"): "nothing traces here",
    ("px/tracepoint_status", "Running tracepoints"): "nothing traces here",
}
#: Scripts that are refused here, and with which words.
REFUSED = {"px/collect_agent_heaps": "has no meaning here"}

pytest.importorskip("sylph._native", reason="some functions are kernels: make build")


@cache
def runnable() -> tuple[str, ...]:
    """Scripts that deploy nothing first."""
    return tuple(script_id for script_id in loader.ids() if "import pxtrace" not in loader.load(script_id).text)


def arguments(script: Script) -> dict[str, str]:
    """Values of a script's variables: its defaults, and where these are missing those of the made-up cluster."""
    variables = script.vis.variables if script.vis else ()
    return {
        variable.name: OWN_ARGUMENTS.get(script.name, {}).get(variable.name)
        or (ARGUMENTS[variable.name] if variable.default is None else variable.default)
        for variable in variables
    }


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """A broker over a store that holds four minutes of generated rows, the older half on disk."""
    directory = tmp_path_factory.mktemp("store")
    now = time.time_ns()
    with Store(TABLES, directory=directory) as store:
        for name, rows in traffic.rows(seed=1, now_ns=now).items():
            store.append(name, record_batch(TABLES[name].relation, rows[: len(rows) // 2]))
        store.flush()
        for name, rows in traffic.rows(seed=1, now_ns=now).items():
            store.append(name, record_batch(TABLES[name].relation, rows[len(rows) // 2 :]))
        given = {"metadata": cluster.entities(now), "constants": cluster.CONSTANTS, "directories": (directory,)}
        engine = Engine(StoreDataset(store, **given), threads=1)
        # Time stands still: a slow machine takes longer for all scripts than they look back.
        yield LocalBroker(engine, Limits(), lambda: "", clock=lambda: now)
        engine.close()


def answer(broker: LocalBroker, script_id: str, **changed: str) -> dict[str, pa.Table]:
    """What a script shows, by table, each with the schema that was announced for it."""
    script = loader.load(script_id)
    values = {**arguments(script), **changed}
    calls = script.vis.calls if script.vis else ()
    request = ScriptRequest(
        script.text, tuple(FunctionCall(call.function, call.output, call.bind(values)) for call in calls)
    )
    schemas: dict[str, pa.Schema] = {}
    batches: dict[str, list[pa.RecordBatch]] = {}
    for result in broker.execute(request, CancelToken()):
        if isinstance(result, TableMeta):
            schemas[result.name] = arrow_schema(result.relation)
        elif isinstance(result, Rows):
            assert result.batch.schema.equals(schemas[result.name], check_metadata=True)
            batches.setdefault(result.name, []).append(result.batch)
    assert set(batches) == set(schemas)
    return {name: pa.Table.from_batches(found) for name, found in batches.items()}


def rows_of(broker: LocalBroker, script_id: str, table: str, **changed: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = answer(broker, script_id, **changed)[table].to_pylist()
    return rows


def test_rows_are_generated_for_every_table() -> None:
    assert set(traffic.rows(seed=1, now_ns=10**18)) == set(TABLES)
    assert traffic.rows(seed=1, now_ns=10**18) == traffic.rows(seed=1, now_ns=10**18)


@pytest.mark.parametrize("script_id", [name for name in runnable() if name not in REFUSED])
def test_a_script_has_something_to_show(broker: LocalBroker, script_id: str) -> None:
    shown = answer(broker, script_id)
    assert shown
    empty = {name for name, table in shown.items() if not table.num_rows}
    assert empty == {name for owner, name in EMPTY if owner == script_id}


@pytest.mark.parametrize("script_id", REFUSED)
def test_a_script_that_cannot_be_answered_says_so(broker: LocalBroker, script_id: str) -> None:
    with pytest.raises(QueryError, match=REFUSED[script_id]) as caught:
        answer(broker, script_id)
    assert caught.value.code is Code.UNIMPLEMENTED


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damaged_rows_do_not_break_a_script(data: st.DataObject) -> None:
    script_id = data.draw(st.sampled_from([name for name in runnable() if name not in REFUSED]))
    now = time.time_ns()
    dataset = MemoryDataset(metadata=cluster.entities(now), constants=cluster.CONSTANTS)
    for name, rows in traffic.rows(seed=1, now_ns=now).items():
        if name in loader.load(script_id).text:
            # The last rows: some scripts look half a minute back.
            damaged = data.draw(strategies.damaged(TABLES[name].relation, rows[-12:]), label=name)
            dataset.add(name, record_batch(TABLES[name].relation, damaged))
    engine = Engine(dataset, threads=1)
    try:
        assert answer(LocalBroker(engine, Limits(), lambda: "", clock=lambda: now), script_id)
    finally:
        engine.close()


def part(number: int, parts: int, now: int) -> Engine:
    """One of several agents: it has the rows of every `parts`-th process."""
    dataset = MemoryDataset(metadata=cluster.entities(now), constants=cluster.CONSTANTS)
    for name, rows in traffic.rows(seed=1, now_ns=now).items():
        # A pod's id ends with its number, as its process's does.
        own = [row for row in rows if int(str(row.get("upid") or str(row["pod_id"])[-4:])) % parts == number]
        dataset.add(name, record_batch(TABLES[name].relation, own))
    return Engine(dataset, threads=1)


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[int, Engine, ShardedEngine]]:
    """The moment of the newest row, an agent that has all rows, and two that share them."""
    now = time.time_ns()
    one, *shards = (part(0, 1, now), *(part(number, 2, now) for number in range(2)))
    merging = Engine(MemoryDataset(metadata=cluster.entities(now), constants=cluster.CONSTANTS), threads=1)
    yield now, one, ShardedEngine([(f"agent {number}", shard) for number, shard in enumerate(shards)], merging)
    for engine in (one, *shards, merging):
        engine.close()


def sorted_rows(results: Iterator[Result]) -> dict[str, list[str]]:
    """Rows by table in an order of their own; floats to six digits, as sums depend on the order of rows."""
    found: dict[str, list[str]] = {}
    for result in results:
        assert not isinstance(result, QueryWarning)
        if isinstance(result, Rows):
            found.setdefault(result.name, []).extend(
                str([f"{value:.6g}" if isinstance(value, float) else value for value in row.values()])
                for row in result.batch.to_pylist()
            )
    return {name: sorted(rows) for name, rows in found.items()}


#: Scripts that do with another table what those of MySQL do.
SIBLINGS = ("px/cql_data", "px/cql_flow_graph", "px/pgsql_", "px/redis_", "px/nats_", "px/mongodb_")


@pytest.mark.parametrize("script_id", [name for name in runnable() if not name.startswith((*REFUSED, *SIBLINGS))])
def test_two_agents_answer_as_one(engines: tuple[int, Engine, ShardedEngine], script_id: str) -> None:
    now, one, two = engines
    script = loader.load(script_id)
    calls = script.vis.calls if script.vis else ()
    requested = [ExecFunc(call.function, call.output, call.bind(arguments(script))) for call in calls]
    plan = compile_script(script.text, tables=TABLES, now_ns=now, exec_funcs=requested)
    assert sorted_rows(two.run(plan)) == sorted_rows(one.run(plan))


#: How often each thing happened in the generated rows.
STEPS = traffic.MINUTES * 60 // traffic.STEP_S


def label(link: object) -> str:
    """What a link to a script reads."""
    return str(json.loads(str(link))["label"])


def test_what_both_ends_record_counts_once(broker: LocalBroker) -> None:
    (row,) = rows_of(broker, "px/mysql_stats", "Summary")
    assert (label(row["source"]), label(row["destination"])) == (CART.full_name, cluster.MYSQL.full_name)
    assert row["total_requests"] == STEPS


def test_sql_is_grouped_without_its_constants(broker: LocalBroker) -> None:
    summary = rows_of(broker, "px/sql_queries", "Summary")
    assert {label(row["normed_query"]): row["total_requests"] for row in summary} == {
        "SELECT * FROM items WHERE id = ?": STEPS,
        "SELECT name FROM people WHERE id = $1": STEPS,
    }
    by_constants = rows_of(broker, "px/sql_query", "Summary")
    assert len(by_constants) == 3
    assert sum(int(str(row["total_requests"])) for row in by_constants) == STEPS


def test_dns_names_and_their_failures(broker: LocalBroker) -> None:
    rows = rows_of(broker, "px/dns_query_summary", "dns_flow")
    assert {row["qgroup"]: row["qname"] for row in rows} == {
        "example.com": "api.example.com",
        "cluster.local": "cart.shop.svc.cluster.local",
    }
    assert sum(int(str(row["num_requests"])) for row in rows) == STEPS
    assert sum(int(str(row["num_nxdomain"])) for row in rows) == STEPS // 4
    (outside,) = rows_of(broker, "sotw/dns_external_fqdn_list", "fqdn_list")
    assert outside["fqdn"] == "api.example.com"


def test_kafka_records_wait_from_produced_to_fetched(broker: LocalBroker) -> None:
    delays = rows_of(broker, "px/kafka_producer_consumer_latency", "kafka_data")
    assert {row["series_col"] for row in delays} == {f"cart to billing, partition {number}" for number in (0, 1)}
    assert len(delays) == STEPS // 2
    assert all(traffic.STEP_S < float(str(row["delay"])) < traffic.STEP_S + 10 for row in delays)
    waits = rows_of(broker, "px/kafka_consumer_rebalancing", "consumer_rebalancing_delay")
    assert sorted(int(str(row["generation_id"])) for row in waits) == list(range(STEPS // 20))


def test_kafka_topics(broker: LocalBroker) -> None:
    shown = answer(broker, "px/kafka_overview")
    (topic,) = shown["kafka_topics_overview"].to_pylist()
    assert topic["topic_name"] == "orders"
    assert (topic["num_partitions"], topic["num_producers"], topic["num_consumers"]) == (2, 1, 1)
    (kafka_broker,) = shown["kafka_brokers"].to_pylist()
    assert label(kafka_broker["pod"]) == cluster.KAFKA.full_name
    assert kafka_broker["produce_requests"] == kafka_broker["fetch_requests"] == STEPS // 2
    flow = {(row["src"], row["dest"]) for row in shown["kafka_flow_graph"].to_pylist()}
    assert flow == {(CART.full_name, "orders"), ("orders", CART.full_name)}


def test_amqp_messages_flow_by_their_key(broker: LocalBroker) -> None:
    edges = {(row["src"], row["dest"]) for row in rows_of(broker, "px/amqp_data", "amqp_flow_graph")}
    keys = ("orders.0", "orders.1")
    assert edges == {(CART.full_name, key) for key in keys} | {(key, CART.full_name) for key in keys}


def test_endpoints_are_found_and_asked_for(broker: LocalBroker) -> None:
    endpoints = {label(row["endpoint"]) for row in rows_of(broker, "pxbeta/service_endpoints", "Endpoints")}
    assert endpoints == {"/cart/*/add", "/cart/*/total"}
    slow = rows_of(broker, "pxbeta/service_endpoint", "Sample of Slow Requests")
    assert all(str(row["req_path"]).endswith("/add") for row in slow)


def test_personal_data_are_named_but_not_shown(broker: LocalBroker) -> None:
    rows = rows_of(broker, "pxbeta/pii_cluster_egress", "Egress by pod, IP", use_pixie_dns_resolution="true")
    assert {row["protocol"] for row in rows} == {"HTTP", "Redis"}
    for row in rows:
        assert "erika" not in str(row["example_req"])
        assert "REDACTED" in str(row["example_req"])
        assert row["resolved_domain"] in {"api.example.com", "cart.shop.svc.cluster.local"}
    assert not rows_of(broker, "pxbeta/pii_cluster_egress", "Egress by pod, IP", filter_for_not_ssl="true")


def test_difference_of_flame_graphs(broker: LocalBroker) -> None:
    rows = rows_of(broker, "px/differential_flamegraph", "Flamegraph")
    found = {row["stack_trace"]: (row["count"], row["delta"], row["percent"]) for row in rows}
    # The pod has 1, 2, 3, 1, ... samples of the first stack, its baseline 1 each; the second one is the baseline's.
    assert found == {
        "main;serve;write": (2 * STEPS, STEPS, 100.0),
        "main;serve;[k] sys_read": (0, -2 * STEPS, 0.0),
    }


def test_traces_are_found_whatever_the_case_of_the_header(broker: LocalBroker) -> None:
    assert len(rows_of(broker, "px/http_trace_id", "http_trace_data")) == 4 * STEPS


def test_requests_between_two_pods(broker: LocalBroker) -> None:
    shown = answer(broker, "px/pod_edge_stats")
    assert sum(row["throughput_total"] for row in shown["LET"].to_pylist()) == STEPS
    assert sum(row["count"] for row in shown["Status Code Distribution"].to_pylist()) == STEPS
