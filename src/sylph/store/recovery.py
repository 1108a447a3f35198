"""What a former store left in the directory: finished segments, journalled rows, remains."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from sylph.store.batch import HotBatch, admit
from sylph.store.files import ASIDE, TEMPORARY, Files
from sylph.store.journal import Torn, journal_number, read_journal
from sylph.store.loss import Cause, LossLog
from sylph.store.segment import Segment, on_disk, parse_name

_LOG = logging.getLogger("sylph.store")


@dataclass(slots=True)
class Recovered:
    """Segments and pending rows of each table in order, journals that hold those rows, files set aside (with size)."""

    segments: dict[str, list[Segment]] = field(default_factory=dict)
    pending: dict[str, list[HotBatch]] = field(default_factory=dict)
    journals: list[Path] = field(default_factory=list)
    next_journal: int = 0
    aside: list[tuple[Path, int]] = field(default_factory=list)

    def rows(self) -> int:
        """Rows found."""
        finished = sum(segment.rows for segments in self.segments.values() for segment in segments)
        return finished + sum(batch.rows for batches in self.pending.values() for batch in batches)


def recover(files: Files, schemas: Mapping[str, pa.Schema], losses: LossLog) -> Recovered:
    """Look at every file once. Damaged files of ours are set aside and counted, foreign ones left alone and counted.

    Raises OSError only when the directory itself cannot be read.
    """
    found = Recovered()
    journals: list[tuple[int, Path]] = []
    for entry in files.entries():
        size = _size(entry)
        if entry.name.endswith(ASIDE):
            found.aside.append((Path(entry.path), on_disk(size)))
        elif (number := journal_number(entry.name)) is not None:
            journals.append((number, Path(entry.path)))
        elif parse_name(entry.name) is not None:
            _segment(files, entry, schemas, losses, found)
        elif entry.name.endswith(TEMPORARY) and parse_name(entry.name.removesuffix(TEMPORARY)) is not None:
            _unlink(Path(entry.path))  # its rows were never finished, and are in the journal if they were in time
        else:
            _LOG.warning("%s is not the store's; left alone", entry.path)
            losses.add("", Cause.FOREIGN_FILE, 0, size, entry.path)
    found.journals = [path for _, path in sorted(journals)]
    found.next_journal = max((number for number, _ in journals), default=-1) + 1
    for path in found.journals:
        _journal(path, schemas, losses, found)
    return found


def _segment(
    files: Files, entry: os.DirEntry[str], schemas: Mapping[str, pa.Schema], losses: LossLog, found: Recovered
) -> None:
    from sylph.store.encode import convertible, footer, layout

    name, size = entry.name, _size(entry)
    parsed = parse_name(name)
    assert parsed is not None
    table, first, end = parsed
    known = found.segments.setdefault(table, [])
    problem = ""
    try:
        facts, rows = footer(str(files.path / name))
        if (facts["table"], facts["first"], facts["end"], rows) != (table, first, end, end - first):
            problem = "its footer tells of other rows than its name"
        elif known and known[-1].end > first:
            problem = f"it overlaps {known[-1].path.name}"
        elif table not in schemas:
            problem = f"there is no table {table!r} any more"
        elif not convertible(facts["columns"], schemas[table]):
            problem = "its columns have other types than the table's"
        else:
            outdated = facts["columns"] != layout(schemas[table])
            low, high = int(facts["min_time"]), int(facts["max_time"])
            known.append(Segment(files.path / name, rows, low, high, first, end, on_disk(size), outdated=outdated))
            return
    except (OSError, ValueError, TypeError) as error:
        problem = str(error).partition("\n")[0] or type(error).__name__
    detail = f"segment {name} ({size} bytes) cannot be used: {problem}"
    _LOG.warning("%s", detail)
    losses.add(table if table in schemas else "", Cause.TORN_SEGMENT, end - first, size, detail)
    try:
        found.aside.append((files.set_aside(name), on_disk(size)))
    except OSError:
        found.aside.append((files.path / name, on_disk(size)))


def _journal(path: Path, schemas: Mapping[str, pa.Schema], losses: LossLog, found: Recovered) -> None:
    from sylph.store.encode import convert

    records = read_journal(path)
    while True:
        try:
            record = next(records, None)
        except OSError as error:
            record = Torn("", 0, 0, f"{path.name} cannot be read: {error}")
        if record is None:
            return
        if isinstance(record, Torn):
            _LOG.warning("%s", record.detail)
            losses.add(record.table, Cause.TORN_SEGMENT, record.rows, record.bytes, record.detail)
            return
        table, first, batch = record
        if table not in schemas:
            continue
        segments, pending = found.segments.get(table, []), found.pending.setdefault(table, [])
        have = pending[-1].end if pending else segments[-1].end if segments else 0
        if first + batch.num_rows <= have:
            continue
        try:
            if not batch.schema.equals(schemas[table]):
                batch = convert(pa.Table.from_batches([batch]), schemas[table]).combine_chunks().to_batches()[0]
            hot = admit(batch.slice(max(0, have - first)), schemas[table], table)
        except ValueError as error:
            losses.add(table, Cause.TORN_SEGMENT, batch.num_rows, batch.nbytes, f"{path.name}: {error}")
            continue
        hot.first = max(first, have)
        pending.append(hot)


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def _unlink(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        _LOG.warning("cannot remove %s: %s", path, error)
