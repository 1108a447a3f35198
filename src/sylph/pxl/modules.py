"""The modules that a script can import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from sylph.pxl.px_module import px_module
from sylph.pxl.pxconfig import pxconfig_module
from sylph.pxl.pxtrace import pxtrace_module
from sylph.pxl.values import Module
from sylph.pxl.views import pxviews_module

if TYPE_CHECKING:
    from sylph.pxl.interpreter import Interpreter

MODULES: Mapping[str, Callable[[Interpreter], Module]] = MappingProxyType(
    {
        "px": px_module,
        "pxconfig": pxconfig_module,
        "pxtrace": pxtrace_module,
        "pxviews": pxviews_module,
    }
)
