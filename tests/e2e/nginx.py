"""An nginx that serves a folder."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIG = """
daemon off; user root; worker_processes {workers}; pid {run}/pid; error_log {run}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000; default_type application/octet-stream;
  client_body_temp_path {run}/b; proxy_temp_path {run}/p; fastcgi_temp_path {run}/f; uwsgi_temp_path {run}/u;
  scgi_temp_path {run}/s;
  server {{ listen 127.0.0.1:{port} backlog=8192{options}; root {root}; {more} location = /ok {{ default_type text/plain; return 200 "ok"; }} }}
}}
"""


@contextmanager
def nginx(root: Path, run: Path, *, workers: int = 1, more: str = "") -> Iterator[int]:
    """Port of an nginx over `root`; its own files go to `run`. Several workers have a listening socket each.
    `more` are directives for the server.
    """
    run.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (run / "nginx.conf").write_text(
        CONFIG.format(
            run=run, root=root, port=port, workers=workers, more=more, options=" reuseport" if workers > 1 else ""
        )
    )
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen(
        [binary, "-c", str(run / "nginx.conf"), "-e", str(run / "error.log")], stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            raise AssertionError((run / "error.log").read_text())
        yield port
    finally:
        process.terminate()
        process.wait(10)
