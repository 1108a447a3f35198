"""The client reads a vis.json by itself, since the compiler's reader is slow to import; both must agree."""

import pytest

from sylph.library.loader import FOLDER, ids, load
from sylph.pxl.vis import load_vis


@pytest.mark.parametrize("script_id", ids())
def test_both_readers_of_a_vis_agree(script_id):
    script = load(script_id)
    path = FOLDER / script_id / "vis.json"
    if script.vis is None:
        assert not path.exists()
        return
    strict = load_vis(path.read_text())
    assert [(v.name, v.type, v.default, v.valid_values) for v in script.vis.variables] == [
        (v.name, v.type.name, v.default, v.valid_values) for v in strict.variables
    ]
    values = {v.name: "1" if v.default is None else v.default for v in strict.variables}
    assert [(call.function, call.bind(values)) for call in script.vis.calls] == [
        (call.name, dict(call.args)) for call in strict.exec_funcs(values)
    ]
