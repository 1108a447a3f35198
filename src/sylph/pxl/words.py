"""Words that people write for true and false: in query flags, in arguments of scripts, in defaults of a vis.json."""

from __future__ import annotations

from types import MappingProxyType

_TRUTH = MappingProxyType(
    {
        **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
        **dict.fromkeys(("false", "f", "no", "n", "0"), False),
    }
)


def truth(text: str) -> bool | None:
    """What `text` says, in whatever case; None when it is none of the words."""
    return _TRUTH.get(text.lower())
