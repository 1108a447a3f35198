"""Python functions over `px`, run as they are by a real engine."""

import enum
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

import px
import pxviews
import sylph
from px import DataFrame, Percent
from px import upid_to_pid as pid_of

HERE = Path(__file__)
LEAST = 3_000_000
PATHS = ["/", "/cart"]
NAMES = {"req_path": "path"}
NUMBERS = object()
Frame = DataFrame


@pytest.fixture
def conn(agent):
    with sylph.connect(socket=agent) as connection:
        yield connection


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(HERE.read_text().split("\n"), 1) if line.strip() == text)


def some_requests(start_time: str = "-5m", most: int = 4):
    """The first requests."""
    df = px.DataFrame("http_events", start_time=start_time)
    return df[["time_", "latency"]].head(most)


def test_what_it_returns_is_a_table_of_its_name(conn):
    answer = conn.run(some_requests)
    assert list(answer) == ["some_requests"]
    assert len(answer.table) == 4
    assert len(conn.run(some_requests, most=2, start_time="-1m").table) == 2


def shows():
    px.display(some_requests(most=1), "one")
    px.display(some_requests(most=2), "two")


def returns_two():
    return some_requests(most=1), some_requests(most=2)


def test_display_and_several_results(conn):
    assert {name: len(table) for name, table in conn.run(shows).items()} == {"one": 1, "two": 2}
    assert {name: len(table) for name, table in conn.run(returns_two).items()} == {
        "returns_two[0]": 1,
        "returns_two[1]": 2,
    }


def at_least(df: DataFrame):
    return df[df.latency >= LEAST]


renamed = at_least


def uses_what_is_around(least: float = 0.5):
    df = renamed(DataFrame("http_events", start_time="-5m"))
    df.pid = pid_of(df.upid)
    df.known = px.equals_any(df.req_path, PATHS)
    df.share = Percent(df.latency / 1e9)
    df = df[df.share > least]
    return df.rename(NAMES)


def test_functions_constants_and_names_of_px_are_taken_along(conn):
    table = conn.run(uses_what_is_around, least=0).table.arrow()
    assert table.num_rows > 0
    assert min(table.column("latency").to_pylist()) >= LEAST
    assert {"path", "pid", "known", "share"} <= set(table.column_names)
    assert table.schema.field("share").metadata[b"sylph.semantic_type"] == b"ST_PERCENT"


def test_a_function_inside_another_with_a_value_of_the_outer(conn):
    limit = 2

    def inner(rows: int = 0):
        df = some_requests(most=limit + rows)
        df.x = 1
        return df

    assert len(conn.run(inner).table) == 2
    assert len(conn.run(inner, rows=1).table) == 3


def bounded(start: px.Time, end: str, names: list):
    df = px.DataFrame("http_events", start_time=start, end_time=end)
    return df[px.equals_any(df.req_method, names)][["time_", "req_method"]]


def test_arguments_keep_their_types(conn):
    now = datetime.now(UTC)
    table = conn.run(bounded, start=now - timedelta(minutes=3), end=now - timedelta(minutes=1), names=["GET"])
    times = table.pandas()["time_"]
    assert len(times) > 0
    assert now - timedelta(minutes=3) <= times.min()
    assert times.max() <= now - timedelta(minutes=1)


def through_views(start_time: str = "-5m"):
    return pxviews.http_graph(start_time, px.now())


def test_the_other_modules_of_pxl(conn):
    assert len(conn.run(through_views).table) > 0


def of_process(upid: px.UPID):
    df = px.DataFrame("http_events", start_time="-5m")
    return df[df.upid == upid][["upid"]]


def test_a_upid_is_given_as_text(conn):
    known = conn.run("import px\npx.display(px.DataFrame('http_events')[['upid']].head(1))").pandas()["upid"][0]
    found = conn.run(of_process, upid=known).pandas()["upid"]
    assert set(found) == {known}


def wrong_column():
    df = px.DataFrame("http_events")
    df.ms = df.latncy / 1000000  # here
    return df


def calls_wrong_column():
    return wrong_column()


@pytest.mark.parametrize("function", [wrong_column, calls_wrong_column])
def test_an_error_is_at_its_line_of_this_file(conn, function):
    with pytest.raises(sylph.CompileError) as caught:
        conn.run(function)
    problem = caught.value.errors[0]
    assert problem.file == str(HERE)
    assert problem.line == line_of("df.ms = df.latncy / 1000000  # here")
    assert problem.text[problem.column - 1 :].startswith("latncy")
    assert "did you mean 'latency'?" in problem.hint
    assert re.search(rf"{re.escape(str(HERE))} L{problem.line} : C{problem.column}", str(caught.value))


def test_the_column_is_right_in_an_indented_function(conn):
    def indented():
        df = px.DataFrame("http_events")
        return df[df.nope == 1]

    with pytest.raises(sylph.CompileError) as caught:
        conn.run(indented)
    (problem,) = caught.value.errors
    assert problem.text[problem.column - 1 :].startswith("nope == 1")


def loops():
    df = px.DataFrame("http_events")
    for _ in PATHS:
        df = df.head(1)
    return df


def uses_an_object():
    return px.DataFrame("http_events").head(NUMBERS)


def uses_nothing_known():
    return px.DataFrame("http_events").head(nothing_known)  # noqa: F821


@pytest.mark.parametrize(
    ("function", "words", "text"),
    [
        (loops, "'for' is not part of PxL", "for _ in PATHS:"),
        (
            uses_an_object,
            "'NUMBERS' is of type object, which PxL does not have",
            'return px.DataFrame("http_events").head(NUMBERS)',
        ),
        (
            uses_nothing_known,
            "name 'nothing_known' is not defined",
            'return px.DataFrame("http_events").head(nothing_known)  # noqa: F821',
        ),
    ],
)
def test_python_that_is_not_pxl(conn, function, words, text):
    with pytest.raises(sylph.CompileError, match=re.escape(words)) as caught:
        conn.run(function)
    assert (caught.value.errors[0].file, caught.value.errors[0].line) == (str(HERE), line_of(text))


@pytest.mark.parametrize(
    ("function", "arguments", "words"),
    [
        (len, {}, "not a function that is written in Python"),
        (lambda: px.DataFrame("http_events"), {}, "plain function with def"),
        (some_requests, {"start": "-1m"}, "no argument 'start'"),
        (some_requests, {"most": object()}, "argument 'most' is of type object"),
        (some_requests, {"most": "many"}, "expected int"),
        (at_least, {}, "at_least() needs df\nhelp: give it: run(function, df=...)"),
        (some_requests, {"start_time": datetime(2026, 1, 1)}, "without a zone"),
    ],
)
def test_what_cannot_be_run(conn, function, arguments, words):
    with pytest.raises(sylph.SylphError, match=re.escape(words)):
        conn.run(function, **arguments)


class Least(enum.StrEnum):
    HALF = "0.5"


LEASTS = np.array([1, 2])
HALF = np.float64(0.5)


def of_other_libraries(first: int):
    df = px.DataFrame("http_events", start_time="-5m")
    df.half = HALF
    df.text = Least_HALF
    df.known = px.equals_any(df.latency, LEASTS)
    df.first = first
    return df[["half", "text", "known", "first"]].head(1)


Least_HALF = Least.HALF


def test_numbers_and_texts_of_other_libraries(conn):
    table = conn.run(of_other_libraries, first=np.int32(7)).table.arrow()
    assert table.to_pylist() == [{"half": 0.5, "text": "0.5", "known": False, "first": 7}]


def typed(
    df: Frame,
    start: "Sequence[str] | None" = None,  # of type checkers only
    /,
    path: Literal["/ü"] | None = "/ü",
    *,
    most: int = 2,
    names: list[str] = PATHS,
) -> Frame:
    late: Frame = df[df.req_path != path]
    return late[["latency"]].head(most)


def typed_requests(*, least: int | str, columns: Sequence[str] | None = ("latency",)) -> "Frame":
    return typed(px.DataFrame("http_events", start_time="-5m"), most=least)


def test_annotations_and_marks_of_type_checkers_only(conn):
    assert len(conn.run(typed_requests, least=3).table) == 3
    with pytest.raises(sylph.SylphError, match="needs least"):
        conn.run(typed_requests)


def typed_wrongly(*, paths: Sequence[str] = ("/ü ",), path: Literal["ü"] | None = None, most: str = "1"):  # noqa: RUF001
    return px.DataFrame("http_events").head(most).nothing


def test_places_are_right_behind_annotations(conn):
    with pytest.raises(sylph.CompileError, match="as type 'int'") as caught:
        conn.run(typed_wrongly)
    (problem,) = caught.value.errors
    assert problem.text[problem.column - 1 :].startswith("most).nothing")
    # PxL's own types are still PxL's.
    with pytest.raises(sylph.CompileError, match="argument 'most': expected str"):
        conn.run(typed_wrongly, most=1)


def returns_a_number():
    px.DataFrame("http_events")
    return 5


def test_a_wrong_result_is_at_its_return(conn):
    with pytest.raises(sylph.CompileError, match="received INT64") as caught:
        conn.run(returns_a_number)
    (problem,) = caught.value.errors
    assert (problem.line, problem.column) == (line_of("return 5"), 12)


def test_a_function_without_source(conn):
    made: dict[str, object] = {}
    exec("def made():\n    return 1\n", made)
    with pytest.raises(sylph.SylphError, match="the source of made"):
        conn.run(made["made"])
