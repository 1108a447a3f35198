"""One node's agent: capture, store and metadata, wired together."""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress

from sylph._native import Capture, check_machine
from sylph.agent import reports
from sylph.agent.dataset import AgentDataset
from sylph.agent.ingest import Ingest
from sylph.agent.options import Options
from sylph.metadata.host import HostState
from sylph.metadata.journal import Journal
from sylph.metadata.node import Node, this_node
from sylph.metadata.process import read_process
from sylph.metadata.snapshot import Snapshots, upid_int
from sylph.store import Store
from sylph.tables import TABLES
from sylph.tables.types import arrow_schema

log = logging.getLogger(__name__)

#: The ring is mapped twice, so it counts twice in the resident size; this much holds 100 ms of a saturated host.
RING_BYTES = 16 << 20


class Agent:
    """A running agent. Making one starts it; `close` ends it, with all rows that were captured stored.

    Raises `CaptureError` when the kernel refuses (the message says what to do), and OSError or StoreError for a
    data directory that can't be used.
    """

    def __init__(self, options: Options) -> None:
        # Before anything is made that would be left behind.
        check_machine()
        self.node: Node = this_node(time.time_ns())
        directory = options.data_directory
        # A folder of its own: the store counts files there that it doesn't know.
        rows = directory / "tables" if options.disk else None
        with suppress(OSError):  # the store reports what it can't write, and runs in memory
            directory.mkdir(0o700, parents=True, exist_ok=True)
        self.store = Store(
            TABLES,
            directory=rows,
            memory=options.memory,
            disk=options.disk,
            flush_interval=options.flush_interval,
        )
        try:
            self.state = HostState(Journal(directory / "processes.jsonl") if options.disk else None)
            self.state.scan()
            self.snapshots = Snapshots(self.state, self.node)
            self.upid = self._own_upid()
            self.capture = Capture(
                {name: arrow_schema(table.relation) for name, table in TABLES.items()},
                method=options.method,
                asid=self.node.asid,
                ring_bytes=RING_BYTES,
                message_bytes=128 << 10,
                trace_clients=options.trace_clients,
                max_body_bytes=options.max_body_bytes,
            )
        except BaseException:
            self.store.close()
            raise
        self._report_start()
        self.dataset = AgentDataset(TABLES, self.store, self.snapshots, self.node, rows)
        self.ingest = Ingest(self.capture, self.store, self.state, self.upid)
        self.ingest.start()

    def trouble(self) -> str:
        """Why the agent takes nothing in any more; empty while it does."""
        return f"ingest ended: {self.ingest.error}" if self.ingest.error else ""

    def close(self) -> None:
        """Stops capture, then stores what is left."""
        self.capture.stop()
        self.ingest.stop()
        self.capture.close()
        try:
            self.state.flush()
        except OSError as error:
            log.warning("can't write the journal of processes: %s", error)
        self.store.close()

    def _own_upid(self) -> int:
        own = read_process(os.getpid(), 0)
        return upid_int(self.node.asid, os.getpid(), own.start_ticks if own else 0)

    def _report_start(self) -> None:
        for source in sorted({table.source for table in TABLES.values() if table.name in self.capture.tables}):
            self.store.append("stirling_error", reports.source_batch(self.upid, source, reports.OK, "", "start"))
        programs = [
            {
                "source_connector": "socket_tracer",
                "tracepoint": name,
                "status": reports.OK,
                "info": f'{{"method":"{self.capture.method}"}}',
            }
            for name in self.capture.programs
        ]
        self.store.append("probe_status", reports.probe_batch(self.upid, programs))
