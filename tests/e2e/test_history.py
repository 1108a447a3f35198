"""Much more traffic than the budgets hold: they are kept, the oldest rows leave first, and questions are answered meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import start_agent
from tests.e2e.history import NGINX, Watch, asking, by_second, holes, load, most_budgeted, write_documents
from tests.e2e.nginx import nginx

pytestmark = [pytest.mark.ebpf, pytest.mark.timeout(180)]

MIB = 2**20
#: At 5,000 requests a second, some seconds of http_events fit into either.
MEMORY, DISK = 64 * MIB, 32 * MIB
DOCUMENTS, SECONDS = 8_000, 15


@pytest.mark.parametrize("disk", [DISK, 0], ids=["memory and disk", "memory only"])
def test_the_oldest_rows_leave_first(tmp_path: Path, disk: int) -> None:
    tmp_path.chmod(0o755)
    (root := tmp_path / "root").mkdir()
    write_documents(root, DOCUMENTS)
    flags = ("--memory", str(MEMORY), "--disk", str(disk), "--flush-interval", "1")
    with (
        nginx(root, tmp_path / "run", more=NGINX) as port,
        start_agent(tmp_path / "agent", *flags) as agent,
        asking(agent.socket) as query,
    ):
        with Watch(agent.process.pid, agent.data, query, port, every=0.5) as watch:
            requests = 0
            for _ in range(4):  # a busy machine needs longer to make more than the budgets hold
                requests += load(tmp_path, port, documents=DOCUMENTS, seconds=SECONDS, pause_ms=10)
                if sum(by_second(query, port, "-10m").values()) < requests:
                    break
        kept = by_second(query, port, "-10m")
        hot = most_budgeted(query, "table.hot_bytes")
    assert 0 < sum(kept.values()) < requests, "the budgets hold it all: this shows nothing"
    assert len(watch.fresh) >= 3
    assert not holes(watch.fresh, kept)
    assert hot <= MEMORY * 1.05
    # Queries and the writing of segments need memory of their own, which does not grow with the traffic.
    assert watch.memory - watch.memory_before <= MEMORY + 128 * MIB
    assert watch.disk <= max(disk * 1.05, MIB)  # without a budget only what is no row
