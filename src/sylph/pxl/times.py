"""Durations and points in time, as PxL writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

MIN_INT64 = -(1 << 63)
MAX_INT64 = (1 << 63) - 1

UNITS = {
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}

_DURATION = re.compile(r"(-?[0-9]+)(ms|m|s|h|d)")
_ABSOLUTE = re.compile(
    r"\s*(\d{1,4})-(\d{1,2})-(\d{1,2})\s+(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d*))?\s*(Z|[+-]\d{2}:?\d{2})\s*",
    re.ASCII,
)
#: Directives of strptime(), those of C and of absl that Python does not have or calls something else.
_DIRECTIVE = re.compile(r"%(E(?:[*0-9]+[SfYz]|[zT])|.)", re.DOTALL)
_DIRECTIVES = {
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "R": "%H:%M",
    "T": "%H:%M:%S",
    "e": "%d",
    "h": "%b",
    "n": " ",
    "t": " ",
    "E4Y": "%Y",
    "E*z": "%z",
    "Ez": "%z",
    "ET": "T",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TimeError(ValueError):
    """Text that is neither a duration nor a time."""


def parse_duration(text: str) -> int:
    """Nanoseconds of the first duration in `text`, such as `-5m`. Raises TimeError."""
    found = _DURATION.search(text)
    if found is None:
        raise TimeError(f"'{_short(text)}' is not a duration such as '-5m' (units: ms, s, m, h, d)")
    digits, unit = found.groups()
    if len(digits) > 20:
        raise TimeError(f"duration '{_short(text)}' does not fit 64 bits of nanoseconds")
    return checked(int(digits) * UNITS[unit], f"duration '{_short(text)}'")


def misread(text: str) -> str:
    """The duration that is read from a text which says more: `5s` of `-1.5s`, `-1h` of `-1h30m`; else ""."""
    found = _DURATION.search(text)
    return found[0] if found is not None and found[0] != text.strip().removeprefix("+") else ""


def parse_absolute(text: str) -> int:
    """Nanoseconds since the epoch of `2020-07-13 18:02:05.00 +0000`. Raises TimeError."""
    found = _ABSOLUTE.fullmatch(text)
    if found is None:
        raise TimeError(f"'{_short(text)}' is not a time such as '2020-07-13 18:02:05.00 +0000'")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError as error:
        raise TimeError(f"'{_short(text)}' is not a time: {error}") from None
    nanoseconds = _since_epoch(moment) + int(((fraction or "") + "000000000")[:9])
    if zone != "Z":
        offset = (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60) * 1_000_000_000
        nanoseconds -= offset if zone[0] == "+" else -offset
    return checked(nanoseconds, f"time '{_short(text)}'")


def parse_time(text: str, now_ns: int) -> int:
    """Nanoseconds since the epoch of a relative (`-5m`) or absolute time. Raises TimeError naming both formats."""
    if _DURATION.search(text):
        return checked(now_ns + parse_duration(text), f"time '{_short(text)}'")
    try:
        return parse_absolute(text)
    except TimeError as error:
        if _ABSOLUTE.fullmatch(text):
            raise
        raise TimeError(
            f"time '{_short(text)}' is in the wrong format: write a duration from now such as '-5m' "
            "(units: ms, s, m, h, d) or a time such as '2020-07-13 18:02:05.00 +0000'"
        ) from error


def strptime(text: str, form: str) -> int:
    """Nanoseconds since the epoch of `text` read by a strptime format; UTC unless it says otherwise.

    What the format leaves out is that of 1970-01-01 00:00:00. Of the extensions of absl's format, `%E*S`, `%E3S`
    (seconds with a fraction), `%E*f`, `%E4Y`, `%Ez` and `%ET` are known; `%s`, seconds since the epoch, stands alone.
    Raises TimeError.
    """
    if form.strip() == "%s" and re.fullmatch(r"\s*-?[0-9]{1,18}\s*", text, re.ASCII):
        return checked(int(text) * UNITS["s"], f"time '{_short(text)}'")
    given, fraction = text, 0
    text, python_form = text.strip(), _DIRECTIVE.sub(_python_directive, form.strip())
    # Python reads six digits of a fraction; the rest is cut, after being counted.
    digits = re.search(r"\.(\d{7,18})", text) if "%f" in python_form else None
    if digits:
        fraction = int(digits.group(1)[:9].ljust(9, "0")) % 1000
        text = text[: digits.start() + 7] + text[digits.end() :]
    if not re.search("%[YyGcx]", python_form.replace("%%", "")):
        text, python_form = f"1970 {text}", f"%Y {python_form}"
    try:
        try:
            moment = datetime.strptime(text, python_form)
        except ValueError:
            if "%S.%f" not in python_form:
                raise
            moment = datetime.strptime(text, python_form.replace("%S.%f", "%S"))
    except (ValueError, re.error, OverflowError, IndexError) as error:
        why = str(error)
        if "directive" in why or "stray" in why:
            raise TimeError(
                f"the format '{_short(form)}' has a directive that is not known; a good one is %Y-%m-%d %H:%M:%S %z"
            ) from None
        raise TimeError(f"'{_short(given)}' does not match the format '{_short(form)}'") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return checked(_since_epoch(moment) + fraction, f"time '{_short(given)}'")


def _python_directive(found: re.Match[str]) -> str:
    directive = found[1]
    if directive[0] == "E" and directive[-1] in "Sf":
        return "%S.%f" if directive[-1] == "S" else "%f"
    return _DIRECTIVES.get(directive, found[0])


def format_duration(nanoseconds: int) -> str:
    """Whole units of the largest unit that fits, truncated towards zero: -90 s gives `-1m`."""
    size = abs(nanoseconds)
    for unit in ("d", "h", "m", "s"):
        if size >= UNITS[unit]:
            break
    else:
        unit = "ms"
    count = size // UNITS[unit]
    return f"-{count}{unit}" if nanoseconds < 0 and count else f"{count}{unit}"


def checked(nanoseconds: int, what: str) -> int:
    """`nanoseconds` when it fits int64; raises TimeError naming `what` otherwise."""
    if not MIN_INT64 <= nanoseconds <= MAX_INT64:
        raise TimeError(f"{what} does not fit 64 bits of nanoseconds")
    return nanoseconds


def _since_epoch(moment: datetime) -> int:
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000_000 + delta.microseconds * 1000


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
