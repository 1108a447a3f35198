import threading
import time
import uuid

import grpc
import pytest

from sylph.api import stall
from sylph.api.batches import TARGET_BYTES
from sylph.api.pb import vizierapi_pb2 as pb
from sylph.api.server import serve
from sylph.query.answer import Code, FunctionCall, QueryError, QueryWarning, Rows, Stats, TableMeta
from tests.api.support import RELATION, execute, make_batch


def test_messages_come_in_the_order_that_clients_rely_on(channel, handler):
    handler.results = [
        TableMeta("a", RELATION),
        TableMeta("b", RELATION),
        Rows("b", make_batch(2)),
        Rows("a", make_batch(3)),
        Rows("b", make_batch(4), last=True),
        Stats(execution_ns=5, compile_ns=7, bytes=11, records=9),
    ]
    messages = list(execute(channel))

    kinds = [message.WhichOneof("result") for message in messages]
    assert kinds == ["meta_data"] * 2 + ["data"] * 5
    ids = {message.meta_data.id: message.meta_data.name for message in messages[:2]}
    assert sorted(ids.values()) == ["a", "b"]
    batches = [message.data.batch for message in messages[2:6]]
    assert [(ids[b.table_id], b.num_rows, b.eow, b.eos) for b in batches] == [
        ("b", 2, False, False),
        ("a", 3, False, False),
        ("b", 4, True, True),
        ("a", 0, True, True),
    ]
    stats = messages[6].data
    assert not stats.HasField("batch")
    assert (stats.execution_stats.timing.execution_time_ns, stats.execution_stats.timing.compilation_time_ns) == (5, 7)
    assert (stats.execution_stats.bytes_processed, stats.execution_stats.records_processed) == (11, 9)
    assert len({message.query_id for message in messages}) == 1
    assert uuid.UUID(messages[0].query_id)


def test_metadata_carries_both_types_of_every_column(channel):
    columns = next(iter(execute(channel))).meta_data.relation.columns
    assert [(c.column_name, c.column_type, c.column_semantic_type) for c in columns] == [
        (name, int(column.data), int(column.semantic)) for name, column in RELATION.items()
    ]


def test_every_data_type_arrives_as_it_was_sent(channel, handler):
    handler.results = [TableMeta("output", RELATION), Rows("output", make_batch(300))]
    batches = [m.data.batch for m in execute(channel) if m.data.HasField("batch")]
    cols = batches[0].cols
    assert list(cols[0].time64ns_data.data) == [1_600_000_000_000_000_000 + i for i in range(300)]
    assert [(v.high, v.low) for v in cols[1].uint128_data.data] == [(0, i) for i in range(300)]
    assert list(cols[2].boolean_data.data) == [i % 2 == 0 for i in range(300)]
    assert list(cols[3].int64_data.data) == [-i for i in range(300)]
    assert list(cols[4].float64_data.data) == [i / 8 for i in range(300)]
    assert list(cols[5].string_data.data) == [f"/a{i}".encode() for i in range(300)]
    # The end of a table without a mark of its own has the right columns too.
    assert [col.WhichOneof("col_data") for col in batches[-1].cols] == [c.WhichOneof("col_data") for c in cols]


def test_large_batches_are_cut(channel, handler):
    handler.results = [TableMeta("output", RELATION), Rows("output", make_batch(40_000, "/long" * 20))]
    sizes, rows = [], []
    for message in execute(channel):
        if message.data.HasField("batch"):
            sizes.append(message.ByteSize())
            rows.extend(message.data.batch.cols[3].int64_data.data)
    assert rows == [-i for i in range(40_000)]
    assert len(sizes) > 4
    assert max(sizes) <= TARGET_BYTES + 200


def test_a_row_that_is_too_large_is_an_error_that_says_so(channel, handler):
    handler.results = [TableMeta("output", RELATION), Rows("output", make_batch(1, "x" * (9 << 20)))]
    with pytest.raises(grpc.RpcError) as caught:
        list(execute(channel))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "one row takes 9.0 MiB" in caught.value.details()


def test_the_request_reaches_the_handler(channel, handler):
    func = pb.ExecuteScriptRequest.FuncToExecute(func_name="f", output_table_prefix="out")
    func.arg_values.add(name="start_time", value="-5m")
    list(execute(channel, "import px", exec_funcs=[func], mutation=True, query_name="px/x"))
    request = handler.requests[0]
    assert request.script == "import px"
    assert request.calls == (FunctionCall("f", "out", {"start_time": "-5m"}),)
    assert (request.mutation, request.name) == (True, "px/x")


def test_an_error_is_told_in_the_stream_and_by_the_code(channel, handler):
    def results(_request, _cancel):
        yield TableMeta("output", RELATION)
        raise QueryError(Code.DEADLINE_EXCEEDED, "too slow")

    handler.results = results
    call = execute(channel)
    messages = [next(call), next(call)]
    with pytest.raises(grpc.RpcError) as caught:
        next(call)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert (messages[-1].status.code, messages[-1].status.message) == (4, "too slow")
    assert messages[-1].query_id


def test_an_unexpected_error_ends_only_its_query(channel, handler):
    handler.results = [Rows("never announced", make_batch(1))]
    with pytest.raises(grpc.RpcError) as caught:
        list(execute(channel))
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    handler.results = [TableMeta("output", RELATION)]
    assert len(list(execute(channel))) == 3


def test_taking_up_a_query_again_is_refused(channel):
    with pytest.raises(grpc.RpcError) as caught:
        list(execute(channel, query_id="a-b-c"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert "run the script anew" in caught.value.details()


def test_warnings_come_with_the_statistics(channel, handler):
    handler.results = [TableMeta("output", RELATION), QueryWarning("10 000 rows shown"), QueryWarning("second")]
    last = list(execute(channel))[-1]
    assert (last.status.code, last.status.message) == (0, "10 000 rows shown\nsecond")
    assert last.data.HasField("execution_stats")


def test_a_client_that_leaves_cancels_its_query(channel, handler):
    cancelled_at = []
    closed = threading.Event()

    def results(_request, cancel):
        cancel.on_cancel(lambda: cancelled_at.append(time.monotonic()))
        try:
            yield TableMeta("output", RELATION)
            assert cancel.wait(10)
            yield Rows("output", make_batch(1))
        finally:
            closed.set()

    handler.results = results
    call = execute(channel)
    next(iter(call))
    left_at = time.monotonic()
    call.cancel()
    assert closed.wait(5)
    assert cancelled_at[0] - left_at < 1.0


def test_a_slow_reader_holds_the_query_back(channel, handler):
    produced = 0

    def results(_request, _cancel):
        nonlocal produced
        yield TableMeta("output", RELATION)
        batch = make_batch(5_000, "/long" * 20)
        for _ in range(400):
            yield Rows("output", batch)
            produced += 1

    handler.results = results
    call = execute(channel, timeout=60)
    next(iter(call))
    time.sleep(1.0)
    held = produced
    time.sleep(0.5)
    assert produced == held < 100
    call.cancel()


def test_a_reader_that_has_stopped_is_cut_off(handler, tmp_path, monkeypatch):
    monkeypatch.setattr(stall, "LIMIT_S", 0.5)
    ended = threading.Event()

    def results(_request, cancel):
        cancel.on_cancel(ended.set)
        yield TableMeta("output", RELATION)
        batch = make_batch(5_000, "/long" * 20)
        while True:
            yield Rows("output", batch)

    handler.results = results
    server = serve(handler, unix=tmp_path / "px.sock")
    with grpc.insecure_channel(f"unix:{tmp_path}/px.sock") as channel:
        call = execute(channel, timeout=60)
        next(call)
        assert ended.wait(10)
        with pytest.raises(grpc.RpcError) as caught:
            list(call)
        assert caught.value.code() is grpc.StatusCode.CANCELLED
    server.stop(0)


def test_more_queries_than_workers_are_all_answered(channel, handler):
    calls = [execute(channel) for _ in range(48)]
    assert {len(list(call)) for call in calls} == {4}
