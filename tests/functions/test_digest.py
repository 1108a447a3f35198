"""Digests through DuckDB: what it hands over and takes back, and what bytes of others may do."""

from __future__ import annotations

import json
import subprocess
import sys

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sylph.functions import digest

QUICK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def database():
    digest.register()
    with duckdb.connect(config={"threads": 2, "arrow_lossless_conversion": True}) as connection:
        yield connection


def states(connection, rows: str, template: str) -> list[bytes]:
    text = f"SELECT {template.format('v')} FROM ({rows}) GROUP BY g ORDER BY g"
    return [state for (state,) in connection.execute(text).fetchall()]


def test_registering_again_changes_nothing(database):
    digest.register.__wrapped__()
    assert database.execute(f"SELECT {digest.quantile(digest.WHOLE.format('7'), 0.5)}").fetchone() == (7.0,)


def test_a_library_that_is_not_loaded_is_refused():
    script = "from sylph._native import register_functions; register_functions('/no/such/duckdb.so', 1)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert "ValueError: DuckDB is not loaded from /no/such/duckdb.so" in done.stderr


def test_too_many_digests_end_the_query_and_leave_room_for_the_next():
    # In a process of its own: the bound is one for all databases.
    script = """
import _duckdb, duckdb
from sylph._native import register_functions
register_functions(_duckdb.__file__, 8 << 20)
connection = duckdb.connect(config={"threads": 2})
few = "SELECT count(s) FROM (SELECT sylph_digest(range) AS s FROM range(300000) GROUP BY range % 1000)"
many = "SELECT count(s) FROM (SELECT sylph_digest(range) AS s FROM range(300000) GROUP BY range)"
merged = "SELECT count(s) FROM (SELECT sylph_digest_merge(s) AS s FROM states GROUP BY g)"
connection.execute("CREATE TABLE states AS SELECT range % 20000 AS g, "
                   "(SELECT sylph_digest_to_send(range) FROM range(60)) AS s FROM range(200000)")
for text in (few, many, few, merged, few):
    try:
        print(connection.execute(text).fetchall())
    except duckdb.Error as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    refused = f"Invalid Input Error: {digest.TOO_MUCH} 8 MiB"
    assert (done.stdout.splitlines(), done.stderr) == (["[(1000,)]", refused] * 2 + ["[(1000,)]"], "")


def test_what_nobody_reads_is_freed_afterwards():
    # In a process of its own: the count is one for all databases.
    script = """
import duckdb, sys
from sylph.functions import digest
digest.register()
groups = "SELECT k, sylph_quantiles(sylph_digest(v)) AS q FROM (SELECT range % 50000 AS k, range AS v FROM range(500000)) GROUP BY k"
failing = f"SELECT CASE WHEN k = 7000 THEN error('x') ELSE k END, q FROM ({groups})"
databases = [duckdb.connect(config={"threads": 2}) for _ in range(2)]
for text in (f"{groups} LIMIT 10", failing, "EXECUTE p", "EXECUTE p"):
    for database in databases:
        if text == "EXECUTE p":
            database.execute(f"PREPARE p AS {groups} LIMIT 20")
        try:
            database.execute(text).fetchall()
        except duckdb.Error:
            pass
    left = digest.memory()
    databases[0].execute(digest.RELEASE).fetchall()
    half = digest.memory()
    # A plan that keeps its states runs again, now that these have lost their digests.
    rows = databases[0].execute("SELECT count(*) FROM (" + groups + ")").fetchall()
    databases[1].execute(digest.RELEASE).fetchall()
    print(left > 1 << 20, 0 < half < left, rows, digest.memory())
databases[0].execute("EXECUTE p").fetchall()
del database
databases.clear()
print(digest.memory())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    expected = ["True True [(50000,)] 0"] * 4 + ["0"]
    assert (done.stdout.splitlines(), done.stderr) == (expected, "")


@pytest.mark.parametrize("template", [digest.WHOLE, digest.TO_SEND])
def test_rows_of_many_vectors_groups_and_threads_all_count(database, template):
    # 3 groups of 400,000 rows, enough for several threads to have states of each.
    rows = "SELECT range % 3 AS g, range AS v FROM range(1200000)"
    for group, state in enumerate(states(database, rows, template)):
        found = json.loads(database.execute(f"SELECT {digest.quantiles('$1::BLOB')}", [state]).fetchone()[0])
        for key, value in found.items():
            assert value / 1_200_000 == pytest.approx(int(key[1:]) / 100, abs=0.01), (group, key)


def test_nulls_filters_and_empty_groups(database):
    rows = "SELECT range % 4 AS g, CASE WHEN range % 4 <> 1 AND range % 8 < 4 THEN range % 4 END AS v FROM range(20000)"
    for template in (digest.WHOLE, digest.TO_SEND):
        found = [
            database.execute(f"SELECT {digest.quantile('$1::BLOB', 0.5)}", [state]).fetchone()[0]
            for state in states(database, rows, template)
        ]
        assert found == [0.0, 0.0, 2.0, 3.0]
    query = f"SELECT {digest.quantile(digest.WHOLE.format('v') + ' FILTER (WHERE v > 10)', 0.5)} FROM range(20) AS t(v)"
    assert database.execute(query).fetchone() == (15.0,)
    null = "NULL::BLOB"
    assert database.execute(f"SELECT {digest.quantile(null, 0.5)}").fetchone() == (0.0,)
    assert database.execute(f"SELECT {digest.quantile(digest.MERGED.format(null), 0.5)}").fetchone() == (0.0,)


def test_states_travel_as_arrow(database):
    rows = "SELECT range % 5000 AS g, range AS v FROM range(100000)"
    table = database.sql(f"SELECT g, {digest.TO_SEND.format('v')} AS s FROM ({rows}) GROUP BY g").to_arrow_table()
    assert table.schema.field("s").type in (pa.binary(), pa.large_binary(), pa.binary_view())
    database.register("sent", table)
    merged = f"{digest.quantile(digest.MERGED.format('s'), 0.5)} AS q"
    found = database.sql(f"SELECT g, {merged} FROM sent GROUP BY g ORDER BY g").fetchall()
    assert found == [(group, group + 47_500.0) for group in range(5000)]


@QUICK
@given(
    bytes=st.binary(max_size=80) | st.integers(0, 4).flatmap(lambda k: st.binary(max_size=80).map(bytes([k]).__add__))
)
def test_bytes_of_others_give_quantiles_or_an_error(database, bytes):
    for text in (digest.quantiles("$1::BLOB"), digest.quantiles(digest.MERGED.format("$1::BLOB"))):
        try:
            [(found,)] = database.execute(f"SELECT {text}", [bytes]).fetchall()
        except duckdb.InvalidInputException as error:
            found = str(error)
        if "a state of quantiles is " not in found:
            values = list(json.loads(found).values())
            assert values == sorted(values)


def test_an_error_in_the_midst_of_many_states_ends_the_statement_only(database):
    rows = "SELECT range % 300 AS g, CASE WHEN range = 70000 THEN '\\x09'::BLOB ELSE '\\x00\\x01\\x0E'::BLOB END AS s"
    for _ in range(3):
        with pytest.raises(duckdb.InvalidInputException, match="a state of quantiles is"):
            database.execute(f"SELECT g, {digest.MERGED.format('s')} FROM ({rows} FROM range(90000)) GROUP BY g")
    query = f"SELECT g, {digest.quantile(digest.MERGED.format('s'), 0.5)} FROM ({rows} FROM range(60000)) GROUP BY g"
    assert {value for _, value in database.execute(query).fetchall()} == {7.0}
