"""Generated rows of every table: what the pods of `sylph.testing.cluster` would have done in the last minutes.

Made up, and labelled so, for scripts whose capture cannot be had in a test. The same seed gives the same rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

from sylph.tables.rows import Row
from sylph.testing import cluster
from sylph.testing.cluster import CART, CURL, PODS, WEB, WEB_2, Pod

SECOND = 10**9
#: Rows are this far apart, over this long.
STEP_S = 2
MINUTES = 4

CLIENT, SERVER = 1, 2

#: Requests of each protocol go to its server, on this port: table, server, port, protocol code of conn_stats.
SERVERS = (
    ("mysql_events", cluster.MYSQL, 3306, 3),
    ("cql_events", cluster.CASSANDRA, 9042, 4),
    ("pgsql_events", cluster.POSTGRES, 5432, 5),
    ("dns_events", cluster.DNS, 53, 6),
    ("redis_events", cluster.REDIS, 6379, 7),
    ("nats_events.beta", cluster.NATS, 4222, 8),
    ("mongodb_events", cluster.MONGO, 27017, 9),
    ("kafka_events.beta", cluster.KAFKA, 9092, 10),
    ("mux_events", CART, 9990, 11),
    ("amqp_events", cluster.RABBIT, 5672, 12),
    ("tls_events", WEB, 8443, 13),
)


def rows(seed: int, now_ns: int) -> dict[str, list[Row]]:
    """Rows of every table in the order of `time_`, the last a second before `now_ns`."""
    random = Random(seed)
    tables: dict[str, list[Row]] = {}
    for step in range(MINUTES * 60 // STEP_S):
        time = now_ns - SECOND * (MINUTES * 60 - STEP_S * step - 1)
        for table, row in _moment(random, step, time):
            tables.setdefault(table, []).append({"time_": time, **row})
    return tables


def _moment(random: Random, step: int, time: int) -> Iterator[tuple[str, Row]]:
    """What is recorded at one moment."""
    yield from (("http_events", row) for row in _http(random, step))
    for table, server, port, _ in SERVERS:
        for event in EVENTS[table](random, step):
            seen = {**_side(SERVER, server, CART, port), "latency": _latency(random), **event}
            if table == "nats_events.beta":
                del seen["latency"]
            yield table, seen
            if table in ("mysql_events", "dns_events"):
                # These are recorded at both ends.
                yield table, {**seen, **_side(CLIENT, CART, server, port)}
    yield from _to_outside(random)
    yield from _counters(random, step)
    yield "stack_traces.beta", _stack(WEB, "main;serve;write", 1 + step % 3)
    yield "stack_traces.beta", _stack(WEB_2, "main;serve;write", 1)
    yield "stack_traces.beta", _stack(WEB_2, "main;serve;[k] sys_read", 2)
    yield "proc_exit_events", {"upid": CURL.upid, "exit_code": step % 2, "comm": "curl"}
    yield "stirling_error", {"upid": cluster.AGENT.upid, "source_connector": "socket_tracer", "context": "start"}
    yield "probe_status", {"upid": cluster.AGENT.upid, "tracepoint": "tcp_sendmsg", "info": "{}"}
    yield "capture_loss", {"upid": WEB.upid, "table_name": "http_events", "cause": "ring_full", "events": 1}
    for metric, value in (("cpu.user_ns", time // 100), ("memory.rss", 2**26), ("table.rows", step)):
        label = "http_events" if metric.startswith("table") else ""
        yield "agent_stats", {"upid": cluster.AGENT.upid, "metric": metric, "label": label, "value": value}


def _latency(random: Random) -> int:
    """Mostly a few ms, now and then much more; never the same twice."""
    return int(random.lognormvariate(15, 1)) + 1


def _side(role: int, pod: Pod, peer: Pod, port: int) -> dict[str, object]:
    """Columns that say whose row it is."""
    client_port = 40000 + (peer if role == SERVER else pod).number
    remote_port, local_port = (client_port, port) if role == SERVER else (port, client_port)
    return {
        "upid": pod.upid,
        "trace_role": role,
        "remote_addr": peer.ip,
        "remote_port": remote_port,
        "local_addr": pod.ip,
        "local_port": local_port,
    }


def _http(random: Random, step: int) -> Iterator[Row]:
    requests = [
        (CURL, WEB, "GET", f"/items/{random.randrange(10**6)}"),
        (CURL, WEB_2, "GET", "/healthz"),
        (WEB, CART, "POST", f"/cart/{random.randrange(10**6)}/add"),
        (WEB, CART, "GET", f"/cart/{random.randrange(10**6)}/total"),
    ]
    for client, server, method, path in requests:
        status = 500 if random.random() < 0.1 else 200
        body = json.dumps({"step": step})
        yield {
            **_side(SERVER, server, client, 80),
            "major_version": 1,
            "minor_version": 1,
            "content_type": 1,
            "req_method": method,
            "req_path": path,
            "req_headers": json.dumps({"Host": server.name, "Traceparent": f"00-{random.getrandbits(128):032x}-01"}),
            "req_body": body if method == "POST" else "",
            "req_body_size": len(body) if method == "POST" else 0,
            "resp_status": status,
            "resp_message": "OK" if status == 200 else "Internal Server Error",
            "resp_headers": json.dumps({"Content-Type": "application/json"}),
            "resp_body": body,
            "resp_body_size": random.randrange(100, 10**5),
            "latency": _latency(random),
        }


def _to_outside(random: Random) -> Iterator[tuple[str, Row]]:
    """Requests with a made-up address of a person, to a peer outside the cluster."""
    side = {**_side(CLIENT, CART, WEB, 443), "remote_addr": cluster.OUTSIDE, "latency": _latency(random)}
    person = "erika@example.com"
    yield "http_events", {**side, "req_method": "POST", "req_path": "/mail", "req_body": person, "req_body_size": 17}
    yield "redis_events", {**side, "req_cmd": "SET", "req_args": json.dumps({"key": "mail", "value": person})}


def _mysql(random: Random, step: int) -> Iterator[Row]:
    number = random.randrange(3)
    ok = step % 10 != 0
    yield {
        "req_cmd": 3,
        "req_body": f"SELECT * FROM items WHERE id = {number}",
        "resp_status": 2 if ok else 3,
        "resp_body": "Resultset rows = 1" if ok else "no such table",
    }


def _cql(random: Random, step: int) -> Iterator[Row]:
    body = f"SELECT * FROM carts WHERE id = {random.randrange(9)}\n[]"
    yield {"req_op": 7, "req_body": body, "resp_op": 8 if step % 10 else 0, "resp_body": "Response type = ROWS"}


def _pgsql(random: Random, step: int) -> Iterator[Row]:
    del step
    yield {
        "req_cmd": "Query",
        "req": f"SELECT name FROM people WHERE id = {random.randrange(3)}",
        "resp": "name\nErika\nSELECT 1",
    }


def _dns(random: Random, step: int) -> Iterator[Row]:
    name = random.choice(["api.example.com", "cart.shop.svc.cluster.local"])
    found = step % 4 != 0
    header = {"txid": step, "rcode": 0 if found else 3, "num_queries": 1, "num_answers": int(found)}
    answers = [{"name": name, "type": "A", "addr": cluster.OUTSIDE}] if found else []
    yield {
        "req_header": json.dumps({"txid": step, "num_queries": 1}),
        "req_body": json.dumps({"queries": [{"name": name, "type": "A"}]}),
        "resp_header": json.dumps(header),
        "resp_body": json.dumps({"answers": answers}),
    }


def _redis(random: Random, step: int) -> Iterator[Row]:
    del step
    yield {"req_cmd": random.choice(["GET", "SET"]), "req_args": json.dumps({"key": "cart"}), "resp": "OK"}


def _nats(random: Random, step: int) -> Iterator[Row]:
    del random
    yield {"cmd": "PUB", "body": json.dumps({"subject": "orders", "payload": str(step)}), "resp": "+OK"}


def _mongodb(random: Random, step: int) -> Iterator[Row]:
    body = json.dumps({"find": "items", "filter": {"id": random.randrange(9)}, "step": step})
    yield {"req_cmd": "find", "req_body": body, "resp_status": "ok: 1", "resp_body": '{"cursor": {}}'}


def _kafka(random: Random, step: int) -> Iterator[Row]:
    """In turn: a batch is produced, fetched; now and then the group rebalances. Two partitions of one topic."""
    partition, offset = step // 2 % 2, step // 4
    produced = {"index": partition, "message_set": {"size": random.randrange(100, 1000)}}
    if step % 2 == 0:
        yield {
            "req_cmd": 0,
            "client_id": "cart",
            "req_body": json.dumps({"acks": 1, "topics": [{"name": "orders", "partitions": [produced]}]}),
            "resp": json.dumps(
                {"topics": [{"name": "orders", "partitions": [{"index": partition, "base_offset": offset}]}]}
            ),
        }
    else:
        asked = {"index": partition, "fetch_offset": offset}
        yield {
            "req_cmd": 1,
            "client_id": "billing",
            "req_body": json.dumps({"topics": [{"name": "orders", "partitions": [asked]}]}),
            "resp": json.dumps({"error_code": 0, "topics": [{"name": "orders", "partitions": [produced]}]}),
        }
    if step % 20 < 2:
        generation, member = step // 20, "billing-1"
        joining = step % 20 == 0
        request = {"group_id": "billing", "member_id": "" if joining else member}
        yield {
            "req_cmd": 11 if joining else 14,
            "client_id": "billing",
            "req_body": json.dumps(request if joining else {**request, "generation_id": generation}),
            "resp": json.dumps({"error_code": 0, "generation_id": generation, "member_id": member}),
        }


def _mux(random: Random, step: int) -> Iterator[Row]:
    del random
    yield {"req_type": 2 if step % 2 else 65}


def _amqp(random: Random, step: int) -> Iterator[Row]:
    key = {"exchange": "shop", "routing_key": f"orders.{step % 2}"}
    yield {
        "frame_type": 1,
        "channel": 1,
        "req_class_id": 60,
        "req_method_id": 40,
        "req_msg": json.dumps(key),
        "latency": 0,
    }
    size = json.dumps({"body_size": random.randrange(1, 1000)})
    yield {"frame_type": 2, "channel": 1, "req_class_id": 60, "req_msg": size, "latency": 0}
    # What a broker hands out has no request.
    yield {
        "frame_type": 1,
        "channel": 1,
        "resp_class_id": 60,
        "resp_method_id": 60,
        "resp_msg": json.dumps({**key, "consumer_tag": "billing"}),
        "latency": 0,
    }


def _tls(random: Random, step: int) -> Iterator[Row]:
    del random, step
    yield {"req_type": 22, "req_body": json.dumps({"server_name": "shop.example.com"}), "resp_body": "{}"}


EVENTS = {
    "mysql_events": _mysql,
    "cql_events": _cql,
    "pgsql_events": _pgsql,
    "dns_events": _dns,
    "redis_events": _redis,
    "nats_events.beta": _nats,
    "mongodb_events": _mongodb,
    "kafka_events.beta": _kafka,
    "mux_events": _mux,
    "amqp_events": _amqp,
    "tls_events": _tls,
}


def _counters(random: Random, step: int) -> Iterator[tuple[str, Row]]:
    """Counters that only grow, at a steady pace, and gauges."""
    total = step + 1
    for pod in PODS:
        rss = 2**20 * pod.number + random.randrange(2**20)
        used = dict.fromkeys(("read_bytes", "write_bytes"), total * 4096)
        used |= dict.fromkeys(("rchar_bytes", "wchar_bytes"), total * 8192)
        used |= {"cpu_utime_ns": total * 2 * 10**8, "cpu_ktime_ns": total * 10**8, "major_faults": total}
        yield "process_stats", {"upid": pod.upid, "vsize_bytes": 2 * rss, "rss_bytes": rss, "num_threads": 4, **used}
        traffic = dict.fromkeys(("rx_bytes", "tx_bytes"), total * 10_000 * pod.number)
        yield "network_stats", {"pod_id": pod.pod_id, "rx_packets": total, "tx_packets": total, **traffic}
        if "java" in pod.cmdline:
            heap = {"used_heap_size": rss, "total_heap_size": 2**28, "max_heap_size": 2**29}
            yield "jvm_stats", {"upid": pod.upid, "young_gc_time": total * 10**6, "full_gc_time": total * 10**5, **heap}
    for _, server, port, protocol in SERVERS:
        yield "conn_stats", _connection(SERVER, server, (CART.ip, 0), protocol, total)
        yield "conn_stats", _connection(CLIENT, CART, (server.ip, port), protocol, total)
    yield "conn_stats", _connection(SERVER, WEB, (cluster.OUTSIDE, 0), 1, total)
    yield "conn_stats", _connection(CLIENT, CART, (cluster.OUTSIDE, 443), 1, total)


def _connection(role: int, pod: Pod, peer: tuple[str, int], protocol: int, total: int) -> Row:
    return {
        "upid": pod.upid,
        "remote_addr": peer[0],
        "remote_port": peer[1],
        "trace_role": role,
        "addr_family": 1,
        "protocol": protocol,
        "ssl": peer[1] == 443,
        "conn_open": total,
        "conn_close": total - 1,
        "conn_active": 1,
        "bytes_sent": total * 1000,
        "bytes_recv": total * 3000,
    }


def _stack(pod: Pod, stack: str, count: int) -> Row:
    return {"upid": pod.upid, "stack_trace_id": len(stack), "stack_trace": stack, "count": count}
