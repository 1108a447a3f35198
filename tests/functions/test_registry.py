import subprocess
import sys

import pytest

from sylph.functions.registry import (
    AGGREGATES,
    SCALARS,
    TABLE_FUNCTIONS,
    FunctionError,
    resolve_aggregate,
    resolve_scalar,
)
from sylph.tables.entities import ENTITIES
from sylph.tables.types import ColumnType, DataType
from sylph.tables.types import SemanticType as St

INT, F, S, T = (ColumnType(data) for data in (DataType.INT64, DataType.FLOAT64, DataType.STRING, DataType.TIME64NS))


def of(data: DataType, semantic: St) -> ColumnType:
    return ColumnType(data, semantic)


BYTES = of(DataType.INT64, St.ST_BYTES)
DURATION = of(DataType.INT64, St.ST_DURATION_NS)


def test_all_functions_are_there():
    assert len(SCALARS) == 174
    assert sum(len(function.overloads) for function in SCALARS.values()) == 259
    # Pixie's; what goes beyond is marked.
    common = [function for function in AGGREGATES.values() if not function.beyond]
    assert len(common) == 11
    assert sum(len(function.overloads) for function in common) == 30
    assert len(TABLE_FUNCTIONS) == 23


def test_nothing_heavy_is_imported():
    code = (
        "import sys, sylph.functions.registry; print([m for m in ('duckdb', 'pyarrow', 'numpy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_no_signature_is_declared_twice():
    for function in SCALARS.values():
        signatures = [overload.init + overload.args for overload in function.overloads]
        assert len(signatures) == len(set(signatures)), function.name


def test_lookups_name_columns_of_entities_with_the_declared_types():
    for function in SCALARS.values():
        for overload in function.overloads:
            steps = [overload.lookup, *overload.lookup.otherwise] if overload.lookup else []
            for step in steps:
                assert step.key in ENTITIES[step.entity]
            if steps:
                first = steps[0]
                assert ENTITIES[first.entity][first.key].data is overload.args[0]
                assert ENTITIES[first.entity][first.value].data is overload.result
                assert all(ENTITIES[step.entity][step.value].data is overload.result for step in steps[-1:])


def test_every_declaration_is_documented():
    for function in [*SCALARS.values(), *AGGREGATES.values(), *TABLE_FUNCTIONS.values()]:
        assert function.doc.endswith("."), function.name
        assert len(function.doc) > 10


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("add", (BYTES, BYTES), BYTES),
        ("add", (BYTES, INT), INT),
        ("subtract", (T, T), INT),
        ("divide", (BYTES, DURATION), of(DataType.FLOAT64, St.ST_THROUGHPUT_BYTES_PER_NS)),
        ("divide", (INT, DURATION), of(DataType.FLOAT64, St.ST_THROUGHPUT_PER_NS)),
        ("divide", (DURATION, INT), F),
        ("multiply", (BYTES, BYTES), INT),
        ("abs", (DURATION,), DURATION),
        ("bin", (T, DURATION), T),
        ("select", (of(DataType.BOOLEAN, St.ST_NONE), BYTES, BYTES), BYTES),
        ("select", (of(DataType.BOOLEAN, St.ST_NONE), BYTES, DURATION), INT),
        ("upid_to_pod_name", (of(DataType.UINT128, St.ST_UPID),), of(DataType.STRING, St.ST_POD_NAME)),
        ("pod_name_to_service_name", (of(DataType.STRING, St.ST_POD_NAME),), of(DataType.STRING, St.ST_SERVICE_NAME)),
        ("pod_name_to_service_name", (S,), S),
        ("upid", (INT, INT), of(DataType.UINT128, St.ST_UPID)),
    ],
)
def test_scalar_result_types(name, arguments, result):
    assert resolve_scalar(name, arguments)[1] == result


@pytest.mark.parametrize(
    ("name", "argument", "result"),
    [
        ("sum", DURATION, INT),
        ("sum", BYTES, BYTES),
        ("mean", DURATION, of(DataType.FLOAT64, St.ST_DURATION_NS)),
        ("max", BYTES, BYTES),
        ("count", BYTES, INT),
        ("any", of(DataType.STRING, St.ST_POD_NAME), of(DataType.STRING, St.ST_POD_NAME)),
        ("quantiles", DURATION, of(DataType.STRING, St.ST_DURATION_NS_QUANTILES)),
        ("quantiles", INT, of(DataType.STRING, St.ST_QUANTILES)),
    ],
)
def test_aggregate_result_types(name, argument, result):
    assert resolve_aggregate(name, (argument,))[1] == result


@pytest.mark.parametrize(
    ("call", "message", "hint"),
    [
        (
            lambda: resolve_scalar("ceil", (INT,)),
            "could not find scalar function 'ceil' with arguments [INT64]",
            "[FLOAT64]",
        ),
        (lambda: resolve_scalar("ceil", (INT,)), "'ceil'", "1.0"),
        (lambda: resolve_scalar("ciel", (F,)), "no scalar function 'ciel'", "did you mean 'ceil'?"),
        (lambda: resolve_scalar("zzzz", ()), "no scalar function 'zzzz'", ""),
        (lambda: resolve_scalar("greaterThan", (INT, F)), "[INT64, FLOAT64]", "[FLOAT64, FLOAT64]"),
        (lambda: resolve_scalar("regex_match", (S, S), (None, "a")), "must be a literal", "not a column"),
        (lambda: resolve_scalar("regex_match", (S, S)), "must be a literal", ""),
        (lambda: resolve_scalar("_match_regex_rule", (S, S), ("nonsense",)), "JSON object", ""),
        (lambda: resolve_aggregate("sum", (S,)), "could not find aggregate function 'sum'", "[INT64]"),
        (
            lambda: resolve_scalar("log", (INT,)),
            "'log' with arguments [INT64]",
            "'log' takes 2 arguments, not 1: [FLOAT64",
        ),
        (lambda: resolve_scalar("log", ()), "'log' with arguments []", "'log' takes 2 arguments, not 0: "),
        (lambda: resolve_scalar("abs", (INT, INT)), "'abs'", "'abs' takes 1 argument, not 2: [FLOAT64] or [INT64]"),
        (lambda: resolve_aggregate("mean", (INT, S)), "'mean'", "'mean' takes 1 argument, not 2: "),
        (lambda: resolve_aggregate("summ", (INT,)), "no aggregate function 'summ'", "'sum'"),
    ],
)
def test_errors_say_what_exists(call, message, hint):
    with pytest.raises(FunctionError) as caught:
        call()
    assert message in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("name", "arguments", "casts"),
    [
        ("log", (INT,), False),
        ("greaterThan", (INT, F), True),
        ("log", (S, INT), False),
        ("abs", (INT, INT), False),
        ("ceil", (INT,), True),
        ("add", (INT, S), False),
    ],
)
def test_floats_are_spoken_of_where_they_would_help(name, arguments, casts):
    with pytest.raises(FunctionError) as caught:
        resolve_scalar(name, arguments)
    assert ("x * 1.0" in caught.value.hint) == casts
