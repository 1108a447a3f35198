"""What a script shows, and the times, types and references it works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, overload

from px.frame import Column, DataFrame, TimeLike, Value
from px.otel import Data
from px.outside import outside

Function = TypeVar("Function", bound=Callable[..., object])
T = TypeVar("T")

# A type is an annotation of an argument, and a cast that only changes what a value means.
BOOLEAN = bool
INT64 = int
UINT128 = int
FLOAT64 = float
STRING = str
TIME64NS = int
Time = int
Service = str
Pod = str
Node = str
Namespace = str
Container = str
UPID = int
Bytes = int
DurationNanos = int
Percent = float


def display(out: DataFrame, name: str = "output", cols: Sequence[str] = ()) -> None:
    """Show `out` as the table `name`; a name that is taken gets `_1`, `_2` ..."""
    raise outside("display")


def debug(out: DataFrame, name: str = "output", cols: Sequence[str] = ()) -> None:
    """Like display, as the table `_name`; also when functions of the script are run."""
    raise outside("debug")


def export(out: DataFrame, export_spec: Data) -> None:
    """Send rows to an OpenTelemetry collector. Checked, but not run yet."""
    raise outside("export")


@overload
def param(name: str, default: T, type: type[T] | None = None, description: str = "") -> T: ...
@overload
def param(name: str, default: None = None, *, type: type[T], description: str = "") -> T: ...
@overload
def param(name: str, *, description: str = "") -> str: ...
def param(name: str, default: object = None, type: object = None, description: str = "") -> object:
    """An argument of the script, `px run SCRIPT -- --name VALUE`: the value given, else `default`.

    Without a default it must be given. Its type is that of the default, text without one, unless `type` says it.
    """
    raise outside("param")


def now() -> int:
    """The present, in ns since the epoch."""
    raise outside("now")


def microseconds(unit: int) -> int:
    """So many microseconds, in ns."""
    raise outside("microseconds")


def milliseconds(unit: int) -> int:
    """So many milliseconds, in ns."""
    raise outside("milliseconds")


def seconds(unit: int) -> int:
    """So many seconds, in ns."""
    raise outside("seconds")


def minutes(unit: int) -> int:
    """So many minutes, in ns."""
    raise outside("minutes")


def hours(unit: int) -> int:
    """So many hours, in ns."""
    raise outside("hours")


def days(unit: int) -> int:
    """So many days, in ns."""
    raise outside("days")


def parse_duration(duration: str) -> int:
    """A duration such as `-5m`, in ns. Units: ms, s, m, h, d."""
    raise outside("parse_duration")


def format_duration(duration: int) -> str:
    """Ns as text in the largest unit that fits, such as `-5m`."""
    raise outside("format_duration")


def parse_time(time: TimeLike) -> int:
    """A time: relative to the present, absolute, or ns."""
    raise outside("parse_time")


def strptime(date_string: str, format: str) -> int:
    """A time by its format, in ns since the epoch; UTC unless the text says otherwise."""
    raise outside("strptime")


def uint128(uuid: str) -> int:
    """A UUID as a UINT128."""
    raise outside("uint128")


def make_upid(asid: int, pid: int, ts_ns: int) -> int:
    """The id of a process: its agent's short id, its PID, its start."""
    raise outside("make_upid")


def equals_any(value: Value, comparisons: Sequence[Value]) -> Column:
    """Whether `value` equals one of `comparisons`."""
    raise outside("equals_any")


def script_reference(label: Value, script: Value, args: Mapping[str, Value] = {}) -> Column:
    """A link to a script with its arguments, shown as `label`."""
    raise outside("script_reference")


class vis:
    """How results are shown."""

    @staticmethod
    def vega(spec: str) -> Callable[[Function], Function]:
        """Decorator: the Vega spec that shows what a function returns."""
        raise outside("vis.vega")


class plugin:
    """Times of a plugin run."""

    start_time: int
    end_time: int
