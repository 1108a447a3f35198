"""Rows like those of the demo: a few services, a dozen paths, JSON headers whose Date changes every second."""

from __future__ import annotations

import json
import random
import uuid
from email.utils import formatdate
from itertools import accumulate

import pyarrow as pa

from sylph.tables import TABLES
from sylph.tables.types import arrow_schema

SCHEMA = arrow_schema(TABLES["http_events"].relation)
START = 1_790_000_000_000_000_000

_SERVICES = [(uuid.UUID(int=(7 << 96) | (4000 + n) << 64 | 123456789 + n).bytes, 8000 + n) for n in range(4)]
_PATHS = [
    *(f"/api/{name}" for name in ("cart", "orders", "users", "search?q=lamp", "checkout", "stock")),
    *(f"/api/items/{n}" for n in range(6)),
]
_REQUEST_HEADERS = {
    "Accept": "application/json, text/plain, */*",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "en-US,en;q=0.9",
    "Connection": "keep-alive",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
    "X-Forwarded-For": "10.88.0.2",
}
_RESPONSE_HEADERS = {
    "Cache-Control": "no-cache, no-store, must-revalidate",
    "Connection": "keep-alive",
    "Content-Type": "application/json; charset=utf-8",
    "Server": "nginx/1.22.1",
    "Strict-Transport-Security": "max-age=31536000",
    "Vary": "Accept-Encoding, Origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_CLIENTS = ["10.88.0.2", "10.88.0.3", "10.88.0.4", "127.0.0.1"]


def batches(rows: int, batch_rows: int = 4096, rate: float = 5_000.0, seed: int = 7) -> list[pa.RecordBatch]:
    """`rows` rows of http_events in batches, as `rate` requests a second would make them."""
    draw = random.Random(seed)
    out = []
    time_ns = START
    for first in range(0, rows, batch_rows):
        count = min(batch_rows, rows - first)
        steps = [int(draw.expovariate(rate) * 1e9) + 1 for _ in range(count)]
        times = [time_ns + step for step in accumulate(steps)]
        time_ns = times[-1]
        out.append(_batch(draw, times))
    return out


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def _batch(draw: random.Random, times: list[int]) -> pa.RecordBatch:
    columns: dict[str, list[object]] = {name: [] for name in SCHEMA.names}
    dates: dict[int, str] = {}
    for time_ns in times:
        second = time_ns // 10**9
        date = dates.setdefault(second, formatdate(second, usegmt=True))
        path = int(draw.random() ** 2 * len(_PATHS))
        service = path % len(_SERVICES)
        upid, port = _SERVICES[service]
        failed = draw.random() < 0.02
        size = 120 + path * 17
        row = (
            time_ns,
            upid,
            draw.choice(_CLIENTS),
            draw.randrange(32768, 61000),
            f"10.88.0.{10 + service}",
            port,
            2,
            False,
            1,
            1,
            1,
            _json(_REQUEST_HEADERS | {"Host": f"shop-{service}.demo.internal:{port}"}),
            "POST" if path == 4 else "GET",
            _PATHS[path],
            '{"cart":17,"pay":"card"}' if path == 4 else "",
            24 if path == 4 else 0,
            _json(_RESPONSE_HEADERS | {"Content-Length": str(size), "Date": date}),
            503 if failed else 200,
            "Service Unavailable" if failed else "OK",
            _json({"status": "ok", "items": [{"id": path, "name": "lamp", "price": 19.99}] * 6})[:size],
            size,
            int(draw.lognormvariate(14.5, 0.8)),
        )
        for name, value in zip(SCHEMA.names, row, strict=True):
            columns[name].append(value)
    return pa.record_batch([pa.array(columns[field.name], field.type) for field in SCHEMA], schema=SCHEMA)


def unique_headers(rows: list[pa.RecordBatch], seed: int = 7) -> list[pa.RecordBatch]:
    """The same rows with another X-Request-Id in every request, which no dictionary helps against."""
    draw = random.Random(seed)
    column = SCHEMA.get_field_index("req_headers")
    out = []
    for batch in rows:
        texts = [
            f'{text[:-1]},"X-Request-Id":"{draw.getrandbits(128):032x}"}}' for text in batch.column(column).to_pylist()
        ]
        out.append(batch.set_column(column, SCHEMA.field(column), pa.array(texts)))
    return out
