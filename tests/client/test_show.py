"""Tables as text and as HTML."""

import re
from html.parser import HTMLParser

import pyarrow as pa
import pytest

from sylph.client.answer import Answer, Table
from sylph.client.arrow import batch_of, schema_of
from sylph.client.values import Column
from sylph.tables.types import DataType, SemanticType

COLUMNS = (
    Column("time_", DataType.TIME64NS),
    Column("size", DataType.INT64, SemanticType.ST_BYTES),
    Column("latency", DataType.INT64, SemanticType.ST_DURATION_NS),
    Column("share", DataType.FLOAT64, SemanticType.ST_PERCENT),
    Column("path", DataType.STRING),
)
EVIL = "<script>alert('1')</script>\x1b[2J\u202e"


def table(rows: int, path: str = "/a", name: str = "out") -> Table:
    columns = [[1_600_000_000_000_000_000] * rows, [2048] * rows, [450_000_000] * rows, [0.5] * rows, [path] * rows]
    return Table(name, COLUMNS, [batch_of(schema_of(name, COLUMNS), columns)])


class Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_values_are_those_of_px(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert repr(table(1)).splitlines() == [
        "Table ID: out",
        "TIME_                    SIZE  LATENCY   SHARE  PATH",
        "2020-09-13T12:26:40Z  2.0 KiB   450 ms  50.00%  /a",
    ]
    html = table(1)._repr_html_()
    for text in ("2020-09-13T12:26:40Z", "2.0 KiB", "450 ms", "50.00%", "out", "INT64, ST_BYTES"):
        assert text in html
    assert re.search(r"text-align:right[^>]*>2\.0 KiB<", html)
    assert re.search(r"color:#cf222e[^>]*>450 ms<", html)


def test_captured_text_is_no_markup_and_no_terminal_command():
    shown = table(1, EVIL, EVIL)
    html = shown._repr_html_()
    parser = Cells()
    parser.feed(html)
    assert set(parser.tags) == {"table", "caption", "thead", "tr", "th", "tbody", "td", "p"}
    assert any("<script>alert('1')</script>\\x1b[2J\\u202e" in text for text in parser.texts)
    assert "\x1b" not in html + repr(shown)
    column = (Column("<b>'x' onload=1", DataType.STRING),)
    named = Table("t", column, [batch_of(schema_of("t", column), [["v"]])])
    parser = Cells()
    parser.feed(named._repr_html_())
    assert "b" not in parser.tags


@pytest.mark.parametrize(("rows", "more"), [(0, False), (50, False), (51, True), (100_000, True)])
def test_rows_are_bounded(rows, more):
    html = table(rows)._repr_html_()
    assert html.count("<td") == min(rows, 50) * len(COLUMNS)
    assert ("not shown" in html) is more
    assert f"{rows:,} rows" in html
    text = repr(table(rows))
    assert text.count("/a") == min(rows, 20)
    assert (f"… {rows - 20:,} more rows" in text) is (rows > 20)


def test_long_values_are_cut_and_frames_are_not():
    shown = table(1, "x" * 100_000)
    assert len(shown._repr_html_()) < 5_000
    assert len(shown.arrow().column("path")[0].as_py()) == 100_000


def test_an_answer_shows_all_tables_and_warnings():
    answer = Answer([table(1, name="a"), table(2, name="b")], ["<late>"], None)
    assert [line for line in repr(answer).splitlines() if line.startswith(("Table", "warning"))] == [
        "Table ID: a",
        "Table ID: b",
        "warning: <late>",
    ]
    assert "&lt;late&gt;" in answer._repr_html_()
    assert answer._repr_html_().count("<table>") == 2


def test_uuids_of_several_batches_become_text():
    columns = (Column("upid", DataType.UINT128, SemanticType.ST_UPID),)
    texts = [f"{i:08x}-0000-0001-0000-00000000000{i}" for i in range(4)]
    schema = schema_of("t", columns)
    made = Table("t", columns, [batch_of(schema, [texts[:2]]), batch_of(schema, [[]]), batch_of(schema, [texts[2:]])])
    assert made.arrow().schema.field("upid").type == pa.uuid()
    assert list(made.pandas()["upid"]) == texts
    assert made.polars()["upid"].to_list() == texts
    assert all(text in repr(made) for text in texts)
