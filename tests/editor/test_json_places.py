"""Paths into a JSON text lead to lines and columns."""

import json
from pathlib import Path

import pytest

from sylph.editor.json_places import JsonPlaces, Place

ROOT = Path(__file__).parents[2]
TEXT = """{
  "a": [1, {"b": "x, [y]: \\"z\\"", "c": {}}, []],
  "d": {"e": null},
 "f" :true }
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("", Place(1, 1)),
        ("a", Place(2, 8)),
        ("a[0]", Place(2, 9)),
        ("a[1]", Place(2, 12)),
        ("a[1].b", Place(2, 18, 15)),
        ("a[1].c", Place(2, 40)),
        ("a[2]", Place(2, 45)),
        ("d.e", Place(3, 14, 4)),
        ("f", Place(4, 7, 4)),
        # What is not there is at what is around it.
        ("d.missing", Place(3, 8)),
        ("a[9].b", Place(2, 8)),
        ("nothing.at.all", Place(1, 1)),
    ],
)
def test_values(path, place):
    assert JsonPlaces(TEXT).value(path) == place


def test_names():
    assert JsonPlaces(TEXT).name("d.e") == Place(3, 9, 3)
    assert JsonPlaces(TEXT).name("a[1].c") == Place(2, 35, 3)
    assert JsonPlaces(TEXT).name("a[1]") == Place(2, 12)


def paths(data, path=""):
    yield path, data
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        step = f"[{key}]" if isinstance(key, int) else f".{key}"
        yield from paths(value, f"{path}{step}".removeprefix("."))


@pytest.mark.parametrize("indent", [None, 2])
def test_every_value_of_the_library_is_where_it_says(indent):
    for file in sorted(ROOT.glob("src/sylph/library/**/vis.json")):
        data = json.loads(file.read_text())
        text = json.dumps(data, indent=indent)
        lines, places = text.split("\n"), JsonPlaces(text)
        for path, value in paths(data):
            place = places.value(path)
            rest = "\n".join([lines[place.line - 1][place.column - 1 :], *lines[place.line :]])
            assert json.JSONDecoder().raw_decode(rest)[0] == value, (file, path)
