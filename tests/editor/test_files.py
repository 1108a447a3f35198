"""Files are written whole or not at all."""

import pytest

from sylph.editor.files import script_files, write_whole
from sylph.library.loader import ScriptError


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(ScriptError, match="cannot be written"):
        write_whole(tmp_path / "folder", b"x")
    with pytest.raises(ScriptError, match="cannot be written"):
        write_whole(tmp_path / "missing" / "x.pxl", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_new_file_has_the_mode_of_new_files(tmp_path):
    write_whole(tmp_path / "a", b"x")
    (tmp_path / "b").write_bytes(b"x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_the_longest_name_can_be_written(tmp_path):
    path = tmp_path / ("x" * 251 + ".pxl")
    write_whole(path, b"y")
    assert path.read_bytes() == b"y"


def test_each_file_once_and_any_name_if_given(tmp_path):
    (tmp_path / "a.pxl").write_text("")
    (tmp_path / "b.txt").write_text("")
    names = [str(tmp_path), str(tmp_path / "a.pxl"), str(tmp_path / "b.txt"), str(tmp_path)]
    assert [path.name for path in script_files(names)] == ["a.pxl", "b.txt"]
