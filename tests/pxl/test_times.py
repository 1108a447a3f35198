"""Durations and points in time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sylph.pxl.times import TimeError, format_duration, misread, parse_absolute, parse_duration, parse_time, strptime

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("-5m", -300),
        ("30s", 30),
        ("2h", 7200),
        ("-1d", -86400),
        ("250ms", 0.25),
        ("in 5m or so", 300),
        ("-5m30s", -300),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == int(seconds * SECOND)


@pytest.mark.parametrize(
    ("text", "part"),
    [("-1.5s", "5s"), ("-1h30m", "-1h"), ("in 5m", "5m"), ("-5m", ""), (" +5m ", ""), ("", ""), ("x", "")],
)
def test_what_is_read_of_a_longer_text(text, part):
    assert misread(text) == part


@pytest.mark.parametrize("text", ["", "5", "m", "5us", "5 m", "-", "9999999999999999999999d", "107000d", "٣m"])
def test_not_durations(text):
    with pytest.raises(TimeError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01 00:00:00 +0000", 0),
        ("1970-01-01 00:00:01.5 +0000", 1.5),
        ("2020-07-13 18:02:5.00 +0000", 1594663325),
        ("2020-07-13 18:02:05 -0330", 1594663325 + 12600),
        ("2020-07-13 18:02:05 +02:00", 1594663325 - 7200),
        ("1969-12-31 23:59:59.5 +0000", -0.5),
        ("2020-07-13 18:02:05Z", 1594663325),
    ],
)
def test_absolute_times(text, seconds):
    assert parse_absolute(text) == int(seconds * SECOND)
    assert parse_time(text, NOW) == int(seconds * SECOND)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2020-07-13",
        "2020-02-30 00:00:00 +0000",
        "2020-01-01 25:00:00 +0000",
        "2020-01-01 00:00:00",
        "9999-12-31 23:59:59 +0000",
    ],
)
def test_not_absolute_times(text):
    with pytest.raises(TimeError):
        parse_time(text, NOW)


def test_relative_times():
    assert parse_time("-5m", NOW) == NOW - 300 * SECOND
    with pytest.raises(TimeError):
        parse_time("100000d", NOW)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0ms"),
        (999_999, "0ms"),
        (-999_999, "0ms"),
        (1_500_000, "1ms"),
        (SECOND, "1s"),
        (-90 * SECOND, "-1m"),
        (3600 * SECOND, "1h"),
        (-49 * 3600 * SECOND, "-2d"),
    ],
)
def test_format_duration(ns, text):
    assert format_duration(ns) == text


@given(st.integers(-(2**62), 2**62))
def test_formatted_durations_are_read_back(ns):
    again = parse_duration(format_duration(ns))
    assert abs(again) <= abs(ns)
    assert format_duration(again) == format_duration(ns)


@pytest.mark.parametrize(
    ("text", "form", "ns"),
    [
        ("1970-01-02", "%Y-%m-%d", 86400 * SECOND),
        ("1970-01-01T00:00:01.123456789+00:00", "%Y-%m-%d%ET%H:%M:%E*S%Ez", SECOND + 123_456_789),
        ("1970-01-01 00:00:02", "%Y-%m-%d %H:%M:%E3S", 2 * SECOND),
        ("01/02/1970 +0100", "%m/%d/%Y %z", 82800 * SECOND),
        ("18:02", "%H:%M", 64920 * SECOND),
        ("", "", 0),
        (" 2020-07-13 18:02:05 Z ", "%F %T %Ez", 1594663325 * SECOND),
        ("13.5", "%S.%E*f", 13 * SECOND + SECOND // 2),
        ("1594663325", "%s", 1594663325 * SECOND),
        ("5 Feb 2020 10:00 100%", "%e %h %E4Y %R 100%%", 1580896800 * SECOND),
    ],
)
def test_strptime(text, form, ns):
    assert strptime(text, form) == ns


@pytest.mark.parametrize(
    ("text", "form", "words"),
    [
        ("x", "%Y", "'x' does not match the format '%Y'"),
        ("2020-02-30", "%F", "'2020-02-30' does not match the format '%F'"),
        ("2020", "%Q", "the format '%Q' has a directive that is not known"),
        ("2020", "%Y%", "the format '%Y%' has a directive that is not known"),
        ("x", "%s", "directive that is not known"),
    ],
)
def test_not_of_that_format(text, form, words):
    with pytest.raises(TimeError, match=words):
        strptime(text, form)


@given(st.text(max_size=20), st.text(max_size=10))
def test_strptime_of_anything(text, form):
    try:
        found = strptime(text, form)
    except TimeError:
        return
    assert isinstance(found, int)
