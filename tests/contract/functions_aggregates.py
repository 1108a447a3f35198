"""Aggregates: of three rows, of one, of none."""

import base64
import json

INF, NAN = float("inf"), float("nan")
MAX, MIN = (1 << 63) - 1, -(1 << 63)


def quantiles(value: object) -> bool:
    found = json.loads(str(value))
    return list(found) == ["p01", "p10", "p25", "p50", "p75", "p90", "p99"] and all(
        isinstance(each, float) for each in found.values()
    )


#: (name, letters of the arguments) to the result's letter and (columns of rows, wanted or a test of it).
CASES = {
    ("quantiles", "I"): ("S", ([(1,), (2,), (3,)], quantiles), ([], quantiles), ([(MAX,), (MIN,)], quantiles)),
    ("quantiles", "F"): ("S", ([(1.0,), (NAN,), (3.0,)], quantiles), ([(INF,)], quantiles)),
    ("pprof", "SII"): ("S", ([("a;b", 1, 11), ("a;c", 2, 11)], lambda value: len(base64.b64decode(str(value))) > 10), ([], lambda value: isinstance(value, str))),
    ("mean", "F"): ("F", ([(1.0,), (2.0,)], 1.5), ([], NAN), ([(NAN,)], NAN), ([(INF,), (-INF,)], NAN)),
    ("mean", "I"): ("F", ([(1,), (2,)], 1.5), ([], NAN), ([(MAX,), (MAX,)], float(MAX))),
    ("mean", "B"): ("F", ([(True,), (False,)], 0.5), ([], NAN)),
    ("sum", "F"): ("F", ([(1.0,), (2.0,)], 3.0), ([], 0.0), ([(INF,), (1.0,)], INF)),
    ("sum", "I"): ("I", ([(1,), (2,)], 3), ([], 0), ([(MAX,), (1,)], MIN)),
    ("sum", "B"): ("I", ([(True,), (True,), (False,)], 2), ([], 0)),
    ("max", "F"): ("F", ([(1.0,), (2.0,)], 2.0), ([(NAN,), (1.0,)], 1.0), ([(-INF,)], -INF)),
    ("max", "I"): ("I", ([(1,), (2,)], 2), ([(MIN,)], MIN)),
    ("max", "T"): ("T", ([(1,), (2,)], 2), ([(0,)], 0)),
    ("min", "F"): ("F", ([(1.0,), (2.0,)], 1.0), ([(NAN,), (3.0,)], 3.0)),
    ("min", "I"): ("I", ([(1,), (-2,)], -2), ([(MAX,)], MAX)),
    ("min", "T"): ("T", ([(1,), (2,)], 1),),
    ("count", "F"): ("I", ([(NAN,), (1.0,)], 2), ([], 0)),
    ("count", "I"): ("I", ([(1,), (1,)], 2), ([], 0)),
    ("count", "T"): ("I", ([(1,)], 1), ([], 0)),
    ("count", "B"): ("I", ([(False,)], 1), ([], 0)),
    ("count", "S"): ("I", ([("",), ("",)], 2), ([], 0)),
    ("count", "U"): ("I", ([(0,)], 1), ([], 0)),
    ("any", "B"): ("B", ([(True,), (True,)], True), ([], False)),
    ("any", "I"): ("I", ([(5,), (5,)], 5), ([], 0)),
    ("any", "F"): ("F", ([(5.0,)], 5.0), ([], 0.0)),
    ("any", "T"): ("T", ([(5,)], 5), ([], 0)),
    ("any", "S"): ("S", ([("é",), ("é",)], "é"), ([], "")),
    ("any", "U"): ("U", ([(1 << 127,)], 1 << 127), ([], 0)),
    ("sample", "S"): ("S", ([("a",), ("a",)], "a"), ([], ""), ([("a",), ("b",)], lambda value: value in {"a", "b"})),
    ("_build_request_path_clusters", "S"): ("S", ([(f"/users/{name}",) for name in ("ann", "bob", "cy", "dee", "eve")], '[{"c":"/users/*","m":[]}]'), ([], "[]")),
    ("_kmeans_fit", "SI"): ("S", ([("[" + ",".join(["1.0"] * 64) + "]", 1)], lambda value: "centroids" in json.loads(str(value))), ([], lambda value: isinstance(json.loads(str(value)), dict))),
}  # fmt: skip
