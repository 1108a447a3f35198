"""All rules of the language by their id."""

from tests.contract import language_calls, language_changes, language_frames, language_px, language_syntax

_PARTS = (language_syntax, language_px, language_frames, language_calls, language_changes)
RULES = {name: rule for part in _PARTS for name, rule in part.RULES.items()}
assert len(RULES) == sum(len(part.RULES) for part in _PARTS)
