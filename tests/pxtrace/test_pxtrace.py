"""The package `pxtrace` names what the compiler knows. That scripts which use it type-check is tested with `px`."""

import inspect

import pytest

import pxtrace
from px import OutsideScriptError
from sylph.pxl.interpreter import Interpreter
from sylph.pxl.pxtrace import pxtrace_module


def test_same_names_as_the_compiler():
    assert set(pxtrace.__all__) == set(pxtrace_module(Interpreter("", {}, 0, display=True)).names())


@pytest.mark.parametrize("name", pxtrace.__all__)
def test_running_a_script_as_python_says_what_to_do(name):
    function = getattr(pxtrace, name)
    wanted = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty
    ]
    with pytest.raises(OutsideScriptError, match=f"'pxtrace.{name}' is part of PxL"):
        function(**dict.fromkeys(wanted, ""))
