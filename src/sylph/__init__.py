"""Sylph: see what every process on a Linux host says and does, without changing it.

`connect()` asks a running agent: `sylph.connect().run("px/http_data", start_time="-5m")`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sylph.client.answer import Answer as Answer
    from sylph.client.answer import Table as Table
    from sylph.client.connection import Connection as Connection
    from sylph.client.connection import Stream as Stream
    from sylph.client.connection import connect as connect
    from sylph.client.errors import AgentUnavailable as AgentUnavailable
    from sylph.client.errors import AnswerWarning as AnswerWarning
    from sylph.client.errors import CompileError as CompileError
    from sylph.client.errors import QueryFailed as QueryFailed
    from sylph.client.errors import SylphError as SylphError

__version__ = "0.1.0"

# Imported when it is used: `px` and the agent import this package too, and need none of it.
_PUBLIC = {
    "AgentUnavailable": "errors",
    "Answer": "answer",
    "AnswerWarning": "errors",
    "CompileError": "errors",
    "Connection": "connection",
    "QueryFailed": "errors",
    "Stream": "connection",
    "SylphError": "errors",
    "Table": "answer",
    "connect": "connection",
}
__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'sylph' has no attribute {name!r}")
    return getattr(importlib.import_module(f"sylph.client.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
