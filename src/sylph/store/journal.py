"""The journal: rows that are too few for a segment yet, in one file for all tables.

A quiet host makes a few rows of each table every second. Segments of them would be thousands of tiny files; so
they are appended here, one fsync for all tables, and written as segments when there are enough. A journal is
never changed, only appended to; a new one starts with everything still pending, then the older ones go.

Record: header, table name, payload. Payload: LZ4 of an Arrow IPC message (the schema before a table's first batch).
The CRC-32 covers header and payload, so that a torn tail is recognised.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from sylph.store.files import Files, write_all

_HEADER = struct.Struct("<4sBxHQQQI")  # magic, kind, length of name, first row, rows, length unpacked, length packed
_CHECK = struct.Struct("<I")
_MAGIC = b"SyJ1"
_SCHEMA, _BATCH = 1, 2
_NAME = re.compile(r"journal\.(\d{10})")
_LARGEST = 1 << 31


def journal_number(name: str) -> int | None:
    """Number of the journal file `name`; None if it is none."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


class Journal:
    """The journal being written. One thread only."""

    def __init__(self, files: Files, number: int) -> None:
        self._files = files
        self.number = number
        self.path = files.path / f"journal.{number:010d}"
        self.size = 0
        self._descriptor: int | None = os.open(
            self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        self._tables: set[str] = set()

    def append(self, records: bytes) -> None:
        """Append packed records and wait until they are on disk. After an OSError use another journal."""
        assert self._descriptor is not None
        if not os.fstat(self._descriptor).st_nlink:
            raise FileNotFoundError(f"{self.path} has vanished")
        write_all(self._descriptor, records)
        os.fsync(self._descriptor)
        if not self.size:
            self._files.sync()
        self.size += len(records)

    def pack(self, table: str, first: int, batch: pa.RecordBatch) -> bytes:
        """Records that hold a batch whose first row has id `first`."""
        packed = _record(_BATCH, table, first, batch.num_rows, batch.serialize())
        if table not in self._tables:
            packed = _record(_SCHEMA, table, 0, 0, batch.schema.serialize()) + packed
            self._tables.add(table)
        return packed

    def close(self) -> None:
        """Stop writing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Torn:
    """Where a journal ends too early. Rows counts what the last record's header promised, if it is readable."""

    table: str
    rows: int
    bytes: int
    detail: str


def read_journal(path: Path) -> Iterator[tuple[str, int, pa.RecordBatch] | Torn]:
    """Table, id of the first row and rows of each record; at most one `Torn`, then nothing more."""
    schemas: dict[str, pa.Schema] = {}
    codec = pa.Codec("lz4")
    with path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size
        while left:
            head = file.read(_HEADER.size)
            name, rows = "", 0
            try:
                magic, kind, length, first, rows, unpacked, packed = _HEADER.unpack(head)
                if magic != _MAGIC or unpacked > _LARGEST or packed > left:
                    raise ValueError("not a record")
                body = file.read(length + packed)
                (check,) = _CHECK.unpack(file.read(_CHECK.size))
                name = body[:length].decode(errors="replace")
                if check != zlib.crc32(body, zlib.crc32(head)):
                    raise ValueError("checksum differs")
                content = codec.decompress(body[length:], unpacked)
                if kind == _SCHEMA:
                    schemas[name] = pa.ipc.read_schema(content)
                else:
                    yield name, first, pa.ipc.read_record_batch(content, schemas[name])
            except (ValueError, KeyError, OSError, struct.error) as error:
                # pa.ArrowInvalid is a ValueError; LZ4 reports damage as OSError.
                yield Torn(name, rows if name else 0, left, f"{path.name} is torn, {left} bytes left: {error}")
                return
            left -= len(head) + len(body) + _CHECK.size


def _record(kind: int, table: str, first: int, rows: int, content: pa.Buffer) -> bytes:
    name = table.encode()
    payload = pa.Codec("lz4").compress(content, asbytes=True)
    head = _HEADER.pack(_MAGIC, kind, len(name), first, rows, content.size, len(payload))
    check = zlib.crc32(payload, zlib.crc32(name, zlib.crc32(head)))
    return b"".join((head, name, payload, _CHECK.pack(check)))
