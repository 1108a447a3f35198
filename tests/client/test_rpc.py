"""How columns of an answer are read."""

import uuid

from sylph.api.pb import vizierapi_pb2 as pb
from sylph.client.rpc import _column


def test_text_that_is_no_utf8_is_shown_as_bytes():
    column = pb.Column(string_data=pb.StringColumn(data=[b"caf\xc3\xa9", b"\xff\x00", b""]))
    assert _column(column) == ["café", "\\xff\x00", ""]


def test_uuids():
    halves = [(0, 1), (2**64 - 1, 2**63), (0, 1)]
    data = [pb.UInt128(high=high, low=low) for high, low in halves]
    expected = [str(uuid.UUID(int=high << 64 | low)) for high, low in halves]
    assert _column(pb.Column(uint128_data=pb.UInt128Column(data=data))) == expected
