"""A steady, bounded load on the demo: a few users who browse and buy, for an hour at most."""

from __future__ import annotations

import http.client
import random
import signal
import sys
import threading
import time

from service import HOST, port

USERS = 4
PAUSE_SECONDS = 0.05
LIMIT_SECONDS = 3600

PATHS = (
    *("/api/products",) * 3,
    *(f"/api/products/{number}" for number in (1, 2, 3, 5, 8, 13, 21)),
    *(f"/api/cart/{user}" for user in ("ada", "grace", "linus")),
    *(f"/api/checkout/{user}" for user in ("ada", "grace")),
    "/static/logo.txt",
)


def browse(end: float) -> None:
    """Asks for one page after the other over one connection."""
    connection = http.client.HTTPConnection(HOST, port("web"), timeout=10)
    while time.monotonic() < end:
        try:
            connection.request("GET", random.choice(PATHS))
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            connection.close()
        time.sleep(random.uniform(0, 2 * PAUSE_SECONDS))


def main() -> None:
    """Runs all users until SIGTERM or the limit."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    end = time.monotonic() + LIMIT_SECONDS
    users = [threading.Thread(target=browse, args=(end,), daemon=True) for _ in range(USERS)]
    for user in users:
        user.start()
    for user in users:
        user.join()


main()
