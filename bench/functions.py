"""Cost of every scalar overload in ns a row, over what reading its arguments costs in the same run.

functions.py [--rows N] [--runs N] [--all]
"""

from __future__ import annotations

import argparse
import statistics
import time

import duckdb

from sylph.functions import digest
from sylph.functions.declare import Overload
from sylph.functions.kernels import install
from sylph.functions.registry import SCALARS, resolve_scalar
from sylph.functions.render import template
from sylph.tables.types import ColumnType, DataType

CONSTANTS = {
    "asid": "7",
    "hostname": "'h'",
    "num_cpus": "4",
    "vizier_id": "'i'",
    "vizier_name": "'n'",
    "vizier_namespace": "'s'",
    "cidrs": "'[]'",
}
TABLE = """CREATE TABLE t AS SELECT
    random() < 0.5 AS b0, random() < 0.5 AS b1, random() < 0.5 AS b2,
    CAST(random() * 600 AS BIGINT) AS i0, CAST(random() * 1000 + 1 AS BIGINT) AS i1, CAST(random() * 9 AS BIGINT) AS i2,
    CAST(random() * 1e15 AS BIGINT) AS t0, CAST(random() * 1e15 AS BIGINT) AS t1, CAST(random() * 1e15 AS BIGINT) AS t2,
    random() * 1e6 AS f0, random() * 100 + 2 AS f1, random() AS f2, uuid() AS u0, uuid() AS u1,
    '/api/v1/users/' || CAST(random() * 1000 AS INT) || '/orders' AS s0, 'users' AS s1, 'x' AS s2, 's' AS s3, 'q' AS s4,
    'f' AS s5, 'g' AS s6, 'h' AS s7
    FROM range({rows})"""
JSON = """'{"id": ' || i0 || ', "name": "a", "score": 1.5, "tags": ["x", "y"]}'"""
SQL = "'SELECT a, b FROM orders WHERE id = ' || i0 || ' AND name = ''x'' LIMIT 10'"
IP = "'10.1.' || i2 || '.7'"
#: Typical arguments where the common ones say little.
ARGUMENTS: dict[str, list[str]] = {
    "pluck": [JSON, "'name'"],
    "pluck_int64": [JSON, "'id'"],
    "pluck_float64": [JSON, "'score'"],
    "pluck_array": ["'[\"a\", ' || i0 || ']'", "1"],
    "split": ["s0", "'/'"],
    "find": ["s0", "s1"],
    "substring": ["s0", "i2", "5"],
    "round": ["f0", "2"],
    "bin": ["{0}", "1000"],
    "atoi": ["CAST(i0 AS VARCHAR)", "0"],
    "hex_to_ascii": ["'616263' || (i0 + 100)"],
    "strip_prefix": ["'/api'", "s0"],
    "regex_match": ["'/api/v[0-9]+/.*'", "s0"],
    "replace": ["'[0-9]+'", "s0", "'*'"],
    "_match_regex_rule": ["""'{"users": ".*/users/.*", "rest": ".*"}'""", "s0"],
    "normalize_pgsql": [SQL, "'Query'"],
    "normalize_mysql": [SQL, "3"],
    "uri_parse": ["'http://shop:80' || s0 || '?q=1'"],
    "uri_recompose": ["'http'", "''", "'shop'", "80", "s0", "'q=1'", "''"],
    "redact_pii_best_effort": ["'GET ' || s0 || ' from 10.0.0.1 by ann@example.org at ' || t0"],
    "cidrs_contain_ip": ["""'["10.0.0.0/8", "192.168.0.0/16"]'""", IP],
    "has_service_name": ["""CASE WHEN b0 THEN 'ns/a' ELSE '["ns/a","ns/b"]' END""", "'ns/b'"],
    "has_service_id": ["""CASE WHEN b0 THEN 'ns/a' ELSE '["ns/a","ns/b"]' END""", "'ns/b'"],
    "has_value": ["""CASE WHEN b0 THEN 'ns/a' ELSE '["ns/a","ns/b"]' END""", "'ns/b'"],
    "pod_name_to_namespace": ["'ns/pod-' || i0"],
    "service_name_to_namespace": ["'ns/svc-' || i0"],
    "_predict_request_path_cluster": ["s0", """'[{"c":"/api/v1/users/*/orders","m":[]},{"c":"/healthz","m":[]}]'"""],
    "_match_endpoint": ["s0", "'/api/*/users/*/orders'"],
    "_encode_sentence_piece": ["s0"],
    "_text_embedding": ["'[1,2,3,' || i0 || ']'"],
    "_kmeans_inference": [
        "'[0.5' || repeat(',0.25', 63) || ']'",
        "'{\"centroids\":[[1.0' || repeat(',0.5', 63) || ']]}'",
    ],
}
LETTERS = {
    DataType.BOOLEAN: "b",
    DataType.INT64: "i",
    DataType.TIME64NS: "t",
    DataType.FLOAT64: "f",
    DataType.UINT128: "u",
    DataType.STRING: "s",
}
#: Columns of each type; arguments beyond repeat them.
WIDTH = {data: {"s": 8, "u": 2}.get(letter, 3) for data, letter in LETTERS.items()}
#: Bound of the project: ns a row; clustering and SQL normalisation may take three times as much.
LIMIT = 1000.0
SLOW = {"normalize_pgsql", "normalize_mysql", "_predict_request_path_cluster", "_kmeans_inference"}
#: What waits for the outside is not computed.
OUTSIDE = {"nslookup", "shared_libraries"}


def arguments_of(name: str, overload: Overload) -> list[str]:
    """SQL of typical arguments."""
    columns = [f"{LETTERS[data]}{place % WIDTH[data]}" for place, data in enumerate(overload.args)]
    given = ARGUMENTS.get(name)
    if given is None:
        return columns
    return [text.format(*columns) if text.startswith("{0") else text for text in given]


class Bench:
    """Measures one expression against its arguments."""

    def __init__(self, rows: int, runs: int) -> None:
        self.rows = rows
        self.runs = runs
        digest.register()
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("SELECT setseed(0.5)").fetchall()
        self.connection.execute(TABLE.format(rows=rows)).fetchall()

    def time(self, expressions: list[str]) -> float:
        """CPU seconds to compute the expressions for all rows and look at each value: one thread does it all."""
        columns = ", ".join(f"{text} AS v{place}" for place, text in enumerate(expressions))
        # The hash keeps DuckDB from leaving out what nobody asks for. A condition would compute them a second time.
        hashed = " + ".join(f"(hash(v{place}) & 1)" for place in range(len(expressions)))
        began = time.thread_time()
        self.connection.execute(f"SELECT sum({hashed}) FROM (SELECT {columns} FROM t)").fetchall()
        return time.thread_time() - began

    def cost(self, name: str, overload: Overload) -> tuple[float, float]:
        """ns a row of the call beyond its arguments, and of the arguments: the least of interleaved runs.

        A shared machine only ever adds to CPU time, by what it evicts from the caches.
        """
        arguments = arguments_of(name, overload)
        if overload.init:
            literals = tuple(text.strip("'") for text in arguments[: len(overload.init)])
            types = tuple(ColumnType(data) for data in overload.init + overload.args)
            overload, _ = resolve_scalar(name, types, literals)
        call = f"({template(overload, arguments).format(*arguments, **CONSTANTS)})"
        install(self.connection, call)
        base = [text for text in arguments if text[0] != "'" or "||" in text] or ["i0"]
        pairs = [(self.time([call]), self.time(base)) for _ in range(self.runs)]
        to_ns = 1e9 / self.rows
        baseline = min(one for _, one in pairs) * to_ns
        return min(one for one, _ in pairs) * to_ns - baseline, baseline


def main() -> None:
    """Prints the ten worst, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    bench = Bench(options.rows, options.runs)
    results = []
    for name, function in SCALARS.items():
        for overload in function.overloads:
            if overload.lookup is None and name not in OUTSIDE:
                types = ",".join(data.name for data in overload.args)
                results.append((*bench.cost(name, overload), f"{name}({types})", name))
    results.sort(reverse=True)
    print(
        f"{len(results)} overloads, {options.rows} rows, one thread; median {statistics.median(result[0] for result in results):.0f} ns/row"
    )
    for cost, baseline, call, _ in results if options.all else results[:10]:
        print(f"{cost:9.1f} ns/row over {baseline:6.1f} for its arguments  {call}")
    over = [call for cost, _, call, name in results if cost > (3 if name in SLOW else 1) * LIMIT]
    print("over the bound:", ", ".join(over) or "none")


if __name__ == "__main__":
    main()
