import http.server
import json
import threading

import pytest

from sylph.library import bundle, loader
from sylph.library.loader import ScriptError, ids, listing, load, load_path
from sylph.library.vis import VisError, parse


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library with three scripts in place of the shipped one."""
    for name, manifest in {
        "px/http_data": "short: HTTP traffic\nlong: All HTTP traffic\n",
        "px/secret": "short: s\nhidden: true\n",
        "sylph/loss": "short: What was dropped\n",
    }.items():
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "manifest.yaml").write_text(manifest)
        (folder / "data.pxl").write_text(f"# {name}\n")
    (tmp_path / "px/http_data/vis.json").write_text(json.dumps({"variables": [{"name": "n", "type": "PX_INT64"}]}))
    monkeypatch.setattr(loader, "FOLDER", tmp_path)
    return tmp_path


def test_scripts_are_found_by_id(library):
    assert ids() == ["px/http_data", "px/secret", "sylph/loss"]
    assert listing() == [("px/http_data", "HTTP traffic"), ("sylph/loss", "What was dropped")]
    script = load("px/http_data")
    assert (script.name, script.text, script.long) == ("px/http_data", "# px/http_data\n", "All HTTP traffic")
    assert [variable.name for variable in script.vis.variables] == ["n"]
    assert load("px/secret").vis is None


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("px/htp_data", "did you mean px/http_data"),
        ("http_data", "did you mean px/http_data?"),
        ("zzz", "px script list"),
        ("px", "px script list"),
        ("px/../px/http_data", "http_data"),
        ("px//http_data", "http_data"),
        ("/etc/passwd", "px script list"),
    ],
)
def test_a_wrong_id_is_told_what_is_close(library, wrong, hint):
    with pytest.raises(ScriptError) as caught:
        load(wrong)
    assert hint in caught.value.hint


def test_a_folder_must_hold_one_script(library):
    (library / "px/http_data/second.pxl").write_text("")
    with pytest.raises(ScriptError, match=r"exactly one \.pxl file, this one 2"):
        load("px/http_data")
    with pytest.raises(ScriptError, match="this one 0"):
        load_path(str(library))


def test_broken_files_name_themselves(library):
    folder = library / "sylph/loss"
    (folder / "vis.json").write_text("{")
    with pytest.raises(ScriptError, match=r"loss/vis\.json: not JSON"):
        load("sylph/loss")
    (folder / "vis.json").unlink()
    (folder / "data.pxl").write_bytes(b"ok\n\xff\n")
    with pytest.raises(ScriptError, match="line 2 is not UTF-8"):
        load("sylph/loss")
    (folder / "data.pxl").write_bytes(b"#" * (loader.MAX_SCRIPT_BYTES + 1))
    with pytest.raises(ScriptError, match="larger than 4 MiB"):
        load("sylph/loss")
    (folder / "data.pxl").write_bytes(b"\xef\xbb\xbfimport px")
    assert load("sylph/loss").text == "import px"


def test_vis_variables_and_calls():
    vis = parse(
        json.dumps(
            {
                "variables": [
                    {"name": "a", "type": "PX_STRING", "defaultValue": ""},
                    {"name": "b", "type": "PX_INT64"},
                    {"name": "c", "type": "PX_STRING", "defaultValue": "x", "validValues": ["x", "y"]},
                ],
                "globalFuncs": [{"outputName": "g", "func": {"name": "f", "args": [{"name": "p", "variable": "a"}]}}],
                "widgets": [{"func": {"name": "h", "args": [{"name": "q", "value": "1"}]}, "unknown": 1}],
            }
        )
    )
    assert [variable.default for variable in vis.variables] == ["", None, "x"]
    assert [(call.function, call.output) for call in vis.calls] == [("f", "g"), ("h", "widget")]
    assert vis.calls[0].bind({"a": "v"}) == {"p": "v"}
    assert vis.calls[1].bind({}) == {"q": "1"}
    with pytest.raises(VisError, match="uses the variable a"):
        vis.calls[0].bind({})
    a, b, c = vis.variables
    assert (a.problem(""), b.problem("5"), c.problem("y")) == ("", "", "")
    assert "whole number" in b.problem("5.5")
    assert c.problem("z") == "must be one of x, y"


@pytest.mark.parametrize("text", ["[]", '{"variables": [{}]}', '{"globalFuncs": [{"outputName": "x"}]}', "nul"])
def test_a_wrong_vis_is_refused(text):
    with pytest.raises(VisError):
        parse(text)


def test_a_bundle_of_pixies_tools(tmp_path):
    path = tmp_path / "bundle.json"
    scripts = {
        "px/a": {"pxl": "import px", "vis": '{"variables": [{"name": "n"}]}', "ShortDoc": "A", "hidden": False},
        "px/b": {"pxl": "b", "vis": "", "placement": "", "ShortDoc": "B", "LongDoc": "", "orgID": "", "hidden": True},
    }
    path.write_text(json.dumps({"scripts": scripts}))
    found = bundle.read(str(path))
    script = found.script("px/a")
    assert (script.text, script.short, script.vis.variables[0].name) == ("import px", "A", "n")
    assert found.script("px/b").hidden
    assert found.listing() == [("px/a", "A")]
    with pytest.raises(ScriptError, match="has no script 'a'") as caught:
        found.script("a")
    assert caught.value.hint == "did you mean px/a?"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "no object 'scripts'"),
        ("{}", "no object 'scripts'"),
        ('{"scripts": {"x": 1}}', "script 'x' is not an object"),
        ('{"scripts": {"x": {}}}', "script 'x' has no text 'pxl'"),
        ('{"scripts": {"x": {"pxl": "", "vis": {}}}}', "'vis' of script 'x' is not JSON in a text"),
    ],
)
def test_what_is_no_bundle_is_refused(tmp_path, text, message):
    path = tmp_path / "bundle.json"
    path.write_text(text)
    with pytest.raises(ScriptError, match=message) as caught:
        bundle.read(str(path))
    assert "px script bundle" in caught.value.hint


def test_a_bad_vis_spoils_only_its_script(tmp_path):
    path = tmp_path / "bundle.json"
    path.write_text('{"scripts": {"x": {"pxl": "a", "vis": "{"}, "y": {"pxl": "b"}}}')
    found = bundle.read(str(path))
    assert found.script("y").text == "b"
    with pytest.raises(ScriptError, match="the vis of x: not JSON"):
        found.script("x")


def test_files_and_addresses_that_cannot_be_read(tmp_path):
    with pytest.raises(ScriptError, match="No such file"):
        bundle.read(str(tmp_path / "none"))
    with pytest.raises(ScriptError, match="http:// and https:// addresses"):
        bundle.read("ftp://127.0.0.1/x")
    with pytest.raises(ScriptError, match="cannot be read"):
        bundle.read("http://127.0.0.1:1/x")
    with pytest.raises(ScriptError, match="cannot be read"):
        bundle.read("http://[::1")


class Answers(http.server.BaseHTTPRequestHandler):
    """A bundle at /bundle.json, as a server of scripts has it."""

    def do_GET(self):
        if self.path != "/bundle.json":
            self.send_error(404)
            return
        body = b'{"scripts": {"a": {"pxl": "import px", "ShortDoc": "one"}}}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


def test_a_bundle_from_an_address():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            at = f"http://127.0.0.1:{server.server_port}"
            assert bundle.read(f"{at}/bundle.json").listing() == [("a", "one")]
            with pytest.raises(ScriptError, match="the server answered 404"):
                bundle.read(f"{at}/other")
        finally:
            server.shutdown()
            thread.join()


def test_the_library_as_a_bundle(tmp_path):
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(bundle.from_folder(loader.FOLDER)))
    found = bundle.read(str(path))
    assert sorted(found.items) == loader.ids()
    for script_id in loader.ids():
        assert found.script(script_id) == loader.load(script_id)


def test_what_a_bundle_keeps(tmp_path):
    folder = tmp_path / "mine" / "team" / "one"
    folder.mkdir(parents=True)
    (folder / "one.pxl").write_text("import px\n")
    (folder / "manifest.yaml").write_text("short: One\nlong: More of it\norg_id: 7\nhidden: true\n")
    (folder / "vis.json").write_text('{"variables": []}')
    (folder / "placement.json").write_text("{}")
    expected = {
        "pxl": "import px\n",
        "vis": '{"variables": []}',
        "placement": "{}",
        "ShortDoc": "One",
        "LongDoc": "More of it",
        "orgID": "7",
        "hidden": True,
    }
    assert bundle.from_folder(tmp_path / "mine") == {"scripts": {"team/one": expected}}
    assert list(bundle.from_folder(folder)["scripts"]) == ["one"]
    (folder / "vis.json").unlink()
    with pytest.raises(ScriptError, match=r"placement.json needs a vis.json"):
        bundle.from_folder(folder)
    (folder / "vis.json").write_text("{")
    with pytest.raises(ScriptError, match=r"vis.json: not JSON"):
        bundle.from_folder(folder)
    (folder / "two.pxl").write_text("")
    with pytest.raises(ScriptError, match=r"exactly one \.pxl file"):
        bundle.from_folder(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ScriptError, match=r"no folder with a \.pxl file"):
        bundle.from_folder(tmp_path / "empty")
    with pytest.raises(ScriptError, match="not a folder"):
        bundle.from_folder(tmp_path / "nowhere")
