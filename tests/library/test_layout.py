"""Scripts that are shipped have the layout that `px fmt` gives."""

from pathlib import Path

from sylph.editor.formatting import format_sources

SOURCES = Path(__file__).parents[2] / "src" / "sylph"


def test_every_script_is_formatted():
    sources = {str(path): path.read_text() for path in sorted(SOURCES.rglob("*.pxl"))}
    assert len(sources) > 85
    formatted = format_sources(sources)
    assert [name for name, text in sources.items() if formatted[name] != text] == []
