"""The Arrow to protobuf encoder, against protobuf itself."""

from __future__ import annotations

import importlib.util
import sys
import uuid
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sylph.tables.types import ColumnType, DataType, arrow_schema

INT64 = st.integers(-(2**63), 2**63 - 1)
VALUES = {
    DataType.BOOLEAN: st.booleans(),
    DataType.INT64: INT64,
    DataType.UINT128: st.integers(0, 2**128 - 1).map(lambda value: uuid.UUID(int=value)),
    DataType.FLOAT64: st.floats(allow_nan=False),
    DataType.STRING: st.text(max_size=300),
    DataType.TIME64NS: INT64,
}


@pytest.fixture(scope="module")
def proto(tmp_path_factory):
    protoc = pytest.importorskip("grpc_tools.protoc")
    out = tmp_path_factory.mktemp("proto")
    here = Path(__file__).parent
    assert protoc.main(["protoc", f"-I{here}", f"--python_out={out}", str(here / "row_batch.proto")]) == 0
    spec = importlib.util.spec_from_file_location("row_batch_pb2", out / "row_batch_pb2.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def expected(proto, batch, types, *, table_id="t", eow=False, eos=False):
    message = proto.RowBatchData(table_id=table_id, num_rows=batch.num_rows, eow=eow, eos=eos)
    for data, array in zip(types, batch.columns, strict=True):
        column = message.cols.add()
        values = array.to_pylist()
        match data:
            case DataType.BOOLEAN:
                column.boolean_data.data.extend(values)
            case DataType.INT64:
                column.int64_data.data.extend(values)
            case DataType.TIME64NS:
                column.time64ns_data.data.extend(values)
            case DataType.FLOAT64:
                column.float64_data.data.extend(values)
            case DataType.STRING:
                column.string_data.data.extend(value.encode() for value in values)
            case DataType.UINT128:
                column.uint128_data.SetInParent()
                for value in values:
                    column.uint128_data.data.add(low=value.int & (2**64 - 1), high=value.int >> 64)
        # A column without rows still says of which kind it is.
        getattr(column, f"{data.name.lower()}_data").SetInParent()
    return message.SerializeToString(deterministic=True)


@st.composite
def batches(draw):
    types = draw(st.lists(st.sampled_from(list(VALUES)), max_size=8))
    rows = draw(st.integers(0, 20))
    schema = arrow_schema({f"c{i}": ColumnType(data) for i, data in enumerate(types)})
    arrays = [
        pa.array(draw(st.lists(VALUES[data], min_size=rows, max_size=rows)), field.type)
        for data, field in zip(types, schema, strict=True)
    ]
    return types, pa.RecordBatch.from_arrays(arrays, schema=schema)


@settings(max_examples=200, deadline=None)
@given(made=batches(), table_id=st.text(max_size=10), ends=st.tuples(st.booleans(), st.booleans()))
def test_is_what_protobuf_writes(native, proto, made, table_id, ends):
    types, batch = made
    eow, eos = ends
    assert native.row_batch(batch, table_id, eow, eos) == expected(
        proto, batch, types, table_id=table_id, eow=eow, eos=eos
    )


def test_slice_of_a_batch(native, proto):
    types = list(VALUES)
    schema = arrow_schema({data.name: ColumnType(data) for data in types})
    columns = [[True, False, True], [1, -1, 3], [uuid.uuid4() for _ in range(3)], [0.5, -1e300, 3.0], ["", "é", "x"]]
    columns.append([2**62, 0, 5])
    batch = pa.RecordBatch.from_arrays(
        [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema=schema
    ).slice(1, 2)
    assert native.row_batch(batch, "t", False, True) == expected(proto, batch, types, eos=True)


@pytest.mark.parametrize("type_", [pa.large_string(), pa.string_view()])
def test_other_string_layouts(native, proto, type_):
    schema = pa.schema([pa.field("s", type_, metadata={b"sylph.data_type": b"STRING"})])
    batch = pa.RecordBatch.from_arrays([pa.array(["a", "long enough to be outlined"], type_)], schema=schema)
    assert native.row_batch(batch, "t", False, False) == expected(proto, batch, [DataType.STRING])


def test_null_becomes_the_default(native, proto):
    types = list(VALUES)
    fields = [field.with_nullable(True) for field in arrow_schema({t.name: ColumnType(t) for t in types})]
    batch = pa.RecordBatch.from_arrays([pa.nulls(2, field.type) for field in fields], schema=pa.schema(fields))
    message = proto.RowBatchData.FromString(native.row_batch(batch, "t", False, False))
    got = {column.WhichOneof("col_data"): column for column in message.cols}
    assert list(got["boolean_data"].boolean_data.data) == [False, False]
    assert list(got["int64_data"].int64_data.data) == [0, 0]
    assert list(got["float64_data"].float64_data.data) == [0.0, 0.0]
    assert list(got["string_data"].string_data.data) == [b"", b""]
    assert [(v.high, v.low) for v in got["uint128_data"].uint128_data.data] == [(0, 0), (0, 0)]


def test_field_without_type_is_refused(native):
    batch = pa.RecordBatch.from_pydict({"a": [1]})
    with pytest.raises(ValueError, match=r'column "a" has no sylph\.data_type'):
        native.row_batch(batch, "t", False, False)


def test_wrong_arrow_type_is_refused(native):
    schema = pa.schema([pa.field("a", pa.int32(), metadata={b"sylph.data_type": b"INT64"})])
    batch = pa.RecordBatch.from_pydict({"a": [1]}, schema=schema)
    with pytest.raises(ValueError, match=r'"a" is declared INT64, which Arrow type Int32 does not hold'):
        native.row_batch(batch, "t", False, False)


@pytest.mark.parametrize("thing", [42, "x", None, [1]])
def test_something_else_is_refused(native, thing):
    with pytest.raises(TypeError, match="expected an Arrow record batch"):
        native.row_batch(thing, "t", False, False)


def test_single_array_is_refused(native):
    with pytest.raises(TypeError, match="array of one column"):
        native.row_batch(pa.array([1, 2]), "t", False, False)
