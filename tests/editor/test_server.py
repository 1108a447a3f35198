"""`px lsp` as an editor meets it: a process of its own, JSON-RPC over its standard input and output."""

import asyncio
import json
from pathlib import Path

import pytest

from sylph.editor.server import ScriptServer
from sylph.library import loader
from tests.editor.lsp_client import TIMEOUT_S, started
from tests.editor.test_check import SOURCE, VIS


@pytest.fixture(scope="module")
def one_editor():
    with started() as found:
        yield found


@pytest.fixture
def editor(one_editor):
    yield one_editor
    for uri in one_editor.opened:
        one_editor.tell("textDocument/didClose", textDocument={"uri": uri})
    one_editor.opened.clear()
    # Its answer comes behind all that was sent before.
    one_editor.ask("textDocument/documentSymbol", textDocument={"uri": "untitled:none"})
    one_editor.notices.clear()


URI = "untitled:one"
SCRIPT = """\
import px
df = px.DataFrame('http_events', start_time='-5m')
df.size = px.length(df.req_body)
px.display(df[['time_', 'size']], 'sizes')
"""


def span(diagnostic):
    """(line, first character, last character) of a diagnostic in one line."""
    start, end = diagnostic["range"]["start"], diagnostic["range"]["end"]
    assert start["line"] == end["line"]
    return start["line"], start["character"], end["character"]


def test_what_the_server_offers(editor):
    offered = editor.server["capabilities"]
    assert offered["textDocumentSync"]["change"] == 1
    for name in ("hoverProvider", "documentFormattingProvider", "documentSymbolProvider", "codeActionProvider"):
        assert offered[name]
    assert "." in offered["completionProvider"]["triggerCharacters"]
    assert editor.server["serverInfo"]["name"] == "px"


def test_diagnostics_follow_the_text(editor):
    editor.open(URI, SCRIPT)
    assert editor.diagnostics(URI) == []
    editor.change(URI, SCRIPT.replace("df.req_body", "df.req_bdy"))
    (found,) = editor.diagnostics(URI)
    assert span(found) == (2, 23, 30)
    assert (found["severity"], found["source"]) == (1, "px")
    assert "help: did you mean 'req_body'?" in found["message"]
    # Several errors at once.
    editor.change(URI, SCRIPT + "a = nothing\nb = px.lenth('a')\n")
    assert [span(one)[0] for one in editor.diagnostics(URI)] == [4, 5]
    editor.change(URI, SCRIPT)
    assert editor.diagnostics(URI) == []
    editor.tell("textDocument/didClose", textDocument={"uri": URI})
    assert editor.diagnostics(URI) == []


def test_an_error_in_a_function_tells_its_calls(editor):
    editor.open(URI, "import px\ndef f(df):\n    return df.nothing\npx.display(f(px.DataFrame('http_events')))\n")
    (found,) = editor.diagnostics(URI)
    (call,) = found["relatedInformation"]
    assert call["location"]["range"]["start"]["line"] == 3
    assert call["message"] == "f() is called here"


@pytest.fixture
def published(monkeypatch) -> list[list[str]]:
    """What a server without an editor tells of documents: the messages, each time."""
    told = []
    monkeypatch.setattr(
        ScriptServer,
        "text_document_publish_diagnostics",
        lambda _server, params: told.append([one.message for one in params.diagnostics]),
    )
    return told


def test_only_the_last_of_quick_changes_is_checked(published):
    async def type_quickly():
        server = ScriptServer()
        checks = []
        for number in range(20):
            server.texts[URI] = SCRIPT + f"x{number} = nothing\n"
            checks.append(asyncio.create_task(server.check_soon(URI)))
            await asyncio.sleep(0)
        server.texts[URI] = SCRIPT
        await asyncio.gather(*checks, server.check_soon(URI))

    asyncio.run(type_quickly())
    assert published == [[]]


def test_a_check_ends_when_its_document_is_closed_though_it_is_open_again(published):
    async def close_and_open():
        server = ScriptServer()
        server.texts[URI] = SCRIPT
        first = asyncio.create_task(server.check_soon(URI))
        await asyncio.sleep(0)
        server.forget(URI)
        server.texts[URI] = SCRIPT
        await asyncio.gather(first, server.check_soon(URI))

    asyncio.run(close_and_open())
    assert published == [[], []]  # closed, checked


def test_the_last_of_quick_changes_is_told(editor):
    editor.open(URI, SCRIPT)
    assert editor.diagnostics(URI) == []
    for name in ("one", "two", "three", "last"):
        editor.change(URI, SCRIPT + f"x = {name}\n")
    while not any("'last'" in one["message"] for one in editor.diagnostics(URI)):
        pass  # one of the others, if this process had to wait


@pytest.mark.parametrize(("encoding", "characters"), [("utf-8", 4), ("utf-16", 2), ("utf-32", 1)])
def test_columns_are_counted_as_agreed(encoding, characters):
    with started(encodings=(encoding,)) as editor:
        assert editor.server["capabilities"]["positionEncoding"] == encoding
        editor.open(URI, "import px\n'\U0001f600', px.nothing\n")
        before = len("'', px.") + characters
        assert [span(one) for one in editor.diagnostics(URI)] == [(1, before, before + len("nothing"))]
        editor.change(URI, SCRIPT + "'\U0001f600', px.DataF")
        items = editor.at("textDocument/completion", URI, 4, before + len("DataF"))["items"]
        assert items[0]["label"] == "DataFrame"
        assert items[0]["textEdit"]["range"]["start"]["character"] == before


def test_completion(editor):
    editor.open(URI, SCRIPT + "df.si")
    items = editor.at("textDocument/completion", URI, 4, 5)["items"]
    assert items[0]["label"] == "size"
    assert items[0]["detail"] == "INT64"
    assert items[0]["textEdit"] == {
        "range": {"start": {"line": 4, "character": 3}, "end": {"line": 4, "character": 5}},
        "newText": "size",
    }
    assert [one["sortText"] for one in items] == sorted(one["sortText"] for one in items)
    labels = {
        "px.cont": "contains",
        "px.DataFrame('proc": "process_stats",
        "df.ctx['serv": "service",
        "px.DataFrame('http_events', star": "start_time=",
        "df.head(n=1).groupby('req_p": "req_path",
        "px.display(d": "df",
        "import pxv": "pxviews",
    }
    for text, label in labels.items():
        editor.change(URI, f"{SCRIPT}{text}")
        items = editor.at("textDocument/completion", URI, 4, len(text))["items"]
        assert label in [one["label"] for one in items], text
    assert editor.at("textDocument/completion", URI, 99, 0)["items"] == []
    assert editor.at("textDocument/completion", "untitled:other", 0, 0)["items"] == []


def test_hover(editor):
    editor.open(URI, SCRIPT)
    column = SCRIPT.split("\n")[2].index("length")
    found = editor.at("textDocument/hover", URI, 2, column + 2)
    assert "length(" in found["contents"]["value"]
    assert found["range"]["start"] == {"line": 2, "character": column}
    found = editor.at("textDocument/hover", URI, 2, SCRIPT.split("\n")[2].index("req_body") + 1)
    assert "STRING" in found["contents"]["value"]
    # The semantic type too.
    editor.change(URI, SCRIPT + "df.latency")
    assert "INT64, ST_DURATION_NS" in editor.at("textDocument/hover", URI, 4, 5)["contents"]["value"]
    assert editor.at("textDocument/hover", URI, 1, 3) is None


def test_signatures(editor):
    editor.open(URI, SCRIPT + "px.display(df, ")
    found = editor.at("textDocument/signatureHelp", URI, 4, 15)
    (one,) = found["signatures"]
    assert one["label"].startswith("display(out: DataFrame, name: str = 'output'")
    # Since version 3.18 the inner one counts, and null there means none.
    for active in (found["activeParameter"], one["activeParameter"]):
        assert one["parameters"][active]["label"] == "name: str = 'output'"
    assert editor.at("textDocument/signatureHelp", URI, 0, 3) is None


def test_what_editors_send_besides_is_no_error():
    with started() as found:
        found.tell("workspace/didChangeConfiguration", settings=None)
        found.tell("textDocument/willSave", textDocument={"uri": URI}, reason=1)
        found.tell("$/cancelRequest", id=found.number)
        # `close` looks at standard error.
        found.close()


def test_formatting(editor):
    editor.open(URI, "import px\ndf = px.DataFrame('http_events'\n   start_time='-5m' )\npx.display(df)\n")
    edits = editor.ask(
        "textDocument/formatting", textDocument={"uri": URI}, options={"tabSize": 4, "insertSpaces": True}
    )
    assert [(edit["range"]["start"]["line"], edit["range"]["end"]["line"]) for edit in edits] == [(1, 3)]
    assert edits[0]["newText"] == "\ndf = px.DataFrame('http_events', start_time='-5m')\n"
    editor.change(URI, "x = (")
    options = {"tabSize": 4, "insertSpaces": True}
    assert editor.ask("textDocument/formatting", textDocument={"uri": URI}, options=options) is None


def test_symbols_stay_while_a_line_is_unfinished(editor):
    editor.open(URI, SCRIPT)
    names = ["df", "sizes"]
    found = editor.ask("textDocument/documentSymbol", textDocument={"uri": URI})
    assert [one["name"] for one in found] == names
    editor.change(URI, SCRIPT + "x = (")
    found = editor.ask("textDocument/documentSymbol", textDocument={"uri": URI})
    assert [one["name"] for one in found] == names


def test_fixes(editor):
    editor.open(URI, SCRIPT.replace("df.req_body", "df.req_bdy"))
    found = editor.diagnostics(URI)
    (fix,) = editor.ask(
        "textDocument/codeAction",
        textDocument={"uri": URI},
        range=found[0]["range"],
        context={"diagnostics": found},
    )
    assert fix["edit"]["changes"][URI] == [{"range": found[0]["range"], "newText": "req_body"}]
    text = "import px\ndf = px.DataFrame('http_events'\n   start_time='-5m' )\npx.display(df)\n"
    editor.change(URI, text)
    found = editor.diagnostics(URI)
    (fix,) = editor.ask(
        "textDocument/codeAction", textDocument={"uri": URI}, range=found[0]["range"], context={"diagnostics": found}
    )
    (edit,) = fix["edit"]["changes"][URI]
    assert edit["newText"] == "',"
    assert edit["range"]["end"] == {"line": 1, "character": 31}


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "x.pxl").write_text(SOURCE)
    (tmp_path / "vis.json").write_text(json.dumps(VIS, indent=1))
    return tmp_path


def test_a_folders_vis_calls_the_functions(editor, folder):
    uri, vis_uri = (folder / "x.pxl").as_uri(), (folder / "vis.json").as_uri()
    # The error is in a function that only vis.json calls.
    editor.open(uri, SOURCE.replace("px.count", "px.coumt"))
    (found,) = editor.diagnostics(uri)
    assert found["range"]["start"]["line"] == 10
    assert editor.diagnostics(vis_uri) == []
    # A column that a widget shows goes: told in vis.json, though that is not open.
    editor.change(uri, SOURCE.replace("count=(", "total=("))
    assert editor.diagnostics(uri) == []
    (found,) = editor.diagnostics(vis_uri)
    assert "has no column 'count'" in found["message"]
    # The text of the editor counts, not the file's.
    text = json.dumps(VIS, indent=1).replace('"value": "count"', '"value": "total"')
    editor.open(vis_uri, text, "json")
    assert editor.diagnostics(vis_uri) == []
    assert editor.at("textDocument/hover", vis_uri, 2, 5) is None
    assert editor.at("textDocument/completion", vis_uri, 2, 5)["items"] == []


def test_a_file_that_changes_outside_is_seen(editor, folder):
    uri, vis_uri = (folder / "x.pxl").as_uri(), (folder / "vis.json").as_uri()
    editor.open(uri, SOURCE)
    assert editor.diagnostics(uri) == editor.diagnostics(vis_uri) == []
    (folder / "vis.json").write_text("{")
    editor.tell("workspace/didChangeWatchedFiles", changes=[{"uri": vis_uri, "type": 2}])
    (found,) = editor.diagnostics(vis_uri)
    assert "not JSON" in found["message"]


def test_the_server_asks_to_watch_files():
    with started(workspace={"didChangeWatchedFiles": {"dynamicRegistration": True}}) as editor:
        message = editor.until(lambda one: one.get("method") == "client/registerCapability")
        (registration,) = message["params"]["registrations"]
        assert registration["method"] == "workspace/didChangeWatchedFiles"
        editor.send({"id": message["id"], "result": None})


def test_every_script_of_the_library_is_right(editor):
    for script_id in loader.ids()[::6]:
        (path,) = (loader.FOLDER / script_id).glob("*.pxl")
        editor.open(path.as_uri(), path.read_text())
        assert [one for one in editor.diagnostics(path.as_uri()) if one["severity"] == 1] == []


def test_hostile_texts_do_not_end_the_server(editor):
    for number, text in enumerate(["(" * 5_000, "\ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
                                   "x = '''\n\x0c\u2028é", "", "\0", "-" * 50_000, "\r\n\r\ndef f(\r\n"]):  # fmt: skip
        uri = f"untitled:{number}"
        editor.open(uri, text)
        editor.diagnostics(uri)
        for method in ("textDocument/completion", "textDocument/hover"):
            editor.at(method, uri, 0, 1)
        editor.ask("textDocument/documentSymbol", textDocument={"uri": uri})
        editor.ask("textDocument/formatting", textDocument={"uri": uri}, options={"tabSize": 4, "insertSpaces": True})


def test_an_editor_that_vanishes_ends_the_server():
    with started() as editor:
        editor.process.stdin.close()
        assert editor.process.wait(TIMEOUT_S) == 1
