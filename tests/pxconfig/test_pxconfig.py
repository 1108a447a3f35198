"""The package `pxconfig` names what the compiler knows."""

import inspect

import pytest

import pxconfig
from px import OutsideScriptError
from sylph.pxl.interpreter import Interpreter
from sylph.pxl.pxconfig import pxconfig_module


def test_same_names_and_parameters_as_the_compiler():
    functions = pxconfig_module(Interpreter("", {}, 0, display=True)).attributes
    assert sorted(functions) == pxconfig.__all__
    for name, function in functions.items():
        ours = list(inspect.signature(getattr(pxconfig, name)).parameters)
        assert ours == [parameter.name for parameter in function.parameters]


def test_running_a_script_as_python_says_what_to_do():
    with pytest.raises(OutsideScriptError, match=r"'pxconfig\.set_agent_config' is part of PxL"):
        pxconfig.set_agent_config("pod", "key", "value")
