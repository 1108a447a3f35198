"""The module `pxviews`: DataFrames that several scripts begin with, written in PxL."""

from __future__ import annotations

import ast
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from sylph.pxl.parse import parse
from sylph.pxl.values import Module, Scope, UserFunction

if TYPE_CHECKING:
    from sylph.pxl.interpreter import Interpreter


@cache
def _tree() -> ast.Module:
    return parse((files("sylph.pxl") / "pxviews.pxl").read_text(encoding="utf-8")).tree


def pxviews_module(interpreter: Interpreter) -> Module:
    """The module for one compilation."""
    scope = Scope({}, interpreter.globals.parent)
    interpreter.block(_tree().body, scope, module=True)
    functions = {}
    for name, value in scope.values.items():
        if isinstance(value, UserFunction):
            value.foreign = True
            functions[name] = value
    return Module("pxviews", functions)
