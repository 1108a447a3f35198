"""px fmt: files in place, exit codes as formatters have them."""

import subprocess
import sys

import pytest

from tests.cli.conftest import environment

LOOSE = "import px\npx.display( px.DataFrame( 'http_events' ) )\n"
TIDY = "import px\n\npx.display(px.DataFrame('http_events'))\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "scripts" / "a").mkdir(parents=True)
    (tmp_path / "scripts" / ".hidden").mkdir()
    (tmp_path / "scripts" / "a" / "loose.pxl").write_text(LOOSE)
    (tmp_path / "scripts" / "tidy.pxl").write_text(TIDY)
    (tmp_path / "scripts" / ".hidden" / "x.pxl").write_text(LOOSE)
    (tmp_path / "scripts" / "other.py").write_text(LOOSE)
    return tmp_path / "scripts"


def test_files_of_a_folder_are_written(px, folder):
    (folder / "a" / "loose.pxl").chmod(0o640)
    ran = px("fmt", str(folder))
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "1 file reformatted, 1 file left unchanged\n")
    assert (folder / "a" / "loose.pxl").read_text() == TIDY
    assert (folder / "a" / "loose.pxl").stat().st_mode & 0o777 == 0o640
    assert (folder / ".hidden" / "x.pxl").read_text() == (folder / "other.py").read_text() == LOOSE
    assert list((folder / "a").iterdir()) == [folder / "a" / "loose.pxl"]
    assert px("fmt", str(folder)).stderr == "2 files left unchanged\n"


def test_a_link_stays_a_link(px, folder):
    link = folder / "link.pxl"
    link.symlink_to(folder / "a" / "loose.pxl")
    assert px("fmt", str(link)).returncode == 0
    assert link.is_symlink()
    assert (folder / "a" / "loose.pxl").read_text() == TIDY


def test_check_and_diff_write_nothing(px, folder):
    ran = px("fmt", "--check", str(folder))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert f"would reformat {folder}/a/loose.pxl\n" in ran.stderr
    assert "1 file would be reformatted, 1 file already formatted" in ran.stderr
    ran = px("fmt", "--diff", "-q", str(folder))
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.split("\n")[3:] == [
        " import px",
        "-px.display( px.DataFrame( 'http_events' ) )",
        "+",
        "+px.display(px.DataFrame('http_events'))",
        "",
    ]
    assert (folder / "a" / "loose.pxl").read_text() == LOOSE
    assert px("fmt", "--check", str(folder / "tidy.pxl")).returncode == 0


def test_standard_input(px):
    ran = px("fmt", "-", stdin=LOOSE)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, TIDY, "")
    ran = px("fmt", "--check", "-", stdin=LOOSE)
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", "would reformat <stdin>\n")


def test_errors_name_their_place_and_spare_the_others(px, folder):
    bad = folder / "bad.pxl"
    bad.write_text("import px\nx = (\n")
    (folder / "latin.pxl").write_bytes(b"# \xe9\n")
    ran = px("fmt", str(folder))
    assert ran.returncode == 2
    assert f"--> {bad}:2:5\n" in ran.stderr
    assert "latin.pxl: line 1 is not UTF-8 text" in ran.stderr
    assert "1 file reformatted, 1 file left unchanged, 2 files with errors" in ran.stderr
    assert (folder / "a" / "loose.pxl").read_text() == TIDY
    assert bad.read_text() == "import px\nx = (\n"


@pytest.mark.parametrize("arguments", [(), ("nowhere.pxl",), ("--no-such-option",), ("-", "x.pxl")])
def test_wrong_use_is_2(px, arguments):
    ran = px("fmt", *arguments)
    assert ran.returncode == 2
    assert ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_folder_without_scripts(px, tmp_path):
    (tmp_path / "empty").mkdir()
    ran = px("fmt", str(tmp_path / "empty"))
    assert ran.returncode == 2
    assert "no *.pxl file is in this folder" in ran.stderr


def test_line_length(px):
    loose = LOOSE.replace("http_events", "process_stats")
    ran = px("fmt", "--line-length", "40", "-", stdin=loose)
    assert ran.stdout == "import px\n\npx.display(\n    px.DataFrame('process_stats')\n)\n"


@pytest.mark.parametrize(
    ("module", "command", "message"),
    [("ruff", ["fmt", "-"], "ruff is not installed"), ("pygls", ["lsp"], "px lsp needs the package pygls")],
)
def test_what_is_not_installed_is_told(module, command, message):
    # None in sys.modules is how Python marks what cannot be imported.
    code = f"import sys\nsys.modules[{module!r}] = None\nfrom sylph.cli.main import run\nsys.exit(run({command!r}))\n"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        input=LOOSE,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ran.returncode in {1, 2}
    assert message in ran.stderr
    assert "pip install" in ran.stderr
    assert "Traceback" not in ran.stderr
