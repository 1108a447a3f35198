import math

import pytest

from sylph.client.values import Column, cell_of, format_bytes, format_duration, format_time
from sylph.tables.types import DataType, SemanticType

US, MS, S = 1_000, 1_000_000, 1_000_000_000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.0 B"),
        (50, "50.0 B"),
        (102.4, "102 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (102 * 1024, "102.0 KiB"),
        (103 * 1024, "103 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (5 * 1024**3, "5.0 GiB"),
        (1024**4, "1.0 TiB"),
        (1024**5, "1.0 PiB"),
        (1024**6, "1.0 EiB"),
        (5000 * 1024**6, "5000 EiB"),
        (-1536, "-1.5 KiB"),
    ],
)
def test_bytes(value, text):
    assert format_bytes(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1_500, "1.5 µs"),
        (12_345_678, "12.35 ms"),
        (1_500 * MS, "1.5 s"),
        (59 * S, "59 s"),
        (61 * S, "1 m 1 s"),
        (3_599 * S, "59 m 59 s"),
        (3_600 * S, "1 h 0 min"),
        (86_399 * S, "23 h 59 min"),
        (86_400 * S, "1 day 0 hours"),
        (90_000 * S, "1 day 1 hour"),
        (200_000 * S, "2 days 7 hours"),
        (-1_500, "-1.5 µs"),
    ],
)
def test_durations(value, text):
    assert format_duration(value) == text


@pytest.mark.parametrize("value", [999_999, 999_999_999, 59_999_999_999])
def test_a_duration_is_not_rounded_to_more_than_its_unit_holds(value):
    number, unit = format_duration(value).split(" ", 1)
    assert (float(number), unit) in {(1.0, "ms"), (1.0, "s"), (60.0, "s"), (1000.0, "µs"), (1000.0, "ms")}


def test_times():
    assert format_time(0) == "1970-01-01T00:00:00Z"
    assert format_time(1_594_663_325_123_456_789) == "2020-07-13T18:02:05.123456789Z"
    assert format_time(1_594_663_325_500_000_000) == "2020-07-13T18:02:05.5Z"
    assert format_time(-1) == "1969-12-31T23:59:59.999999999Z"


@pytest.mark.parametrize(
    ("column", "value", "cell"),
    [
        (Column("size", DataType.INT64, SemanticType.ST_BYTES), 2048, ("2.0 KiB", "")),
        (Column("size", DataType.FLOAT64, SemanticType.ST_BYTES), 1.5, ("1.5 B", "")),
        (Column("took", DataType.INT64, SemanticType.ST_DURATION_NS), 300 * MS, ("300 ms", "")),
        (Column("latency", DataType.INT64, SemanticType.ST_DURATION_NS), 100 * MS, ("100 ms", "green")),
        (Column("latency_p99", DataType.FLOAT64, SemanticType.ST_DURATION_NS), 200.0 * MS, ("200 ms", "yellow")),
        (Column("latency", DataType.INT64, SemanticType.ST_DURATION_NS), 400 * MS, ("400 ms", "red")),
        (Column("rps", DataType.FLOAT64, SemanticType.ST_THROUGHPUT_PER_NS), 1.5e-8, ("15.000000 /sec", "")),
        (Column("bps", DataType.FLOAT64, SemanticType.ST_THROUGHPUT_BYTES_PER_NS), 2.048e-6, ("2.0 KiB/sec", "")),
        (Column("error_rate", DataType.FLOAT64, SemanticType.ST_PERCENT), 0.12345, ("12.35%", "")),
        (Column("cpu_usage", DataType.FLOAT64, SemanticType.ST_PERCENT), 0.5, ("50.00%", "green")),
        (Column("cpu_usage", DataType.FLOAT64, SemanticType.ST_PERCENT), 0.7, ("70.00%", "yellow")),
        (Column("total_cpu", DataType.FLOAT64, SemanticType.ST_PERCENT), 0.8, ("80.00%", "red")),
        (
            Column("q", DataType.STRING, SemanticType.ST_QUANTILES),
            '{"p99": 3.0, "p01": 1.23456789}',
            ("p01: 1.23457, p99: 3", ""),
        ),
        (
            Column("q", DataType.STRING, SemanticType.ST_DURATION_NS_QUANTILES),
            '{"p50": 1500.0, "p99": 2000000.0}',
            ("p50: 1.5 µs, p99: 2 ms", ""),
        ),
        (Column("q", DataType.STRING, SemanticType.ST_QUANTILES), "broken", ("broken", "")),
        (Column("s", DataType.INT64, SemanticType.ST_HTTP_RESP_STATUS), 204, ("204", "green")),
        (Column("s", DataType.INT64, SemanticType.ST_HTTP_RESP_STATUS), 302, ("302", "")),
        (Column("s", DataType.INT64, SemanticType.ST_HTTP_RESP_STATUS), 404, ("404", "red")),
        (
            Column("l", DataType.STRING, SemanticType.ST_SCRIPT_REFERENCE),
            '{"label":"ns/web","script":"px/pod","args":{}}',
            ("ns/web", ""),
        ),
        (Column("l", DataType.STRING, SemanticType.ST_SCRIPT_REFERENCE), "plain", ("plain", "")),
        (Column("b", DataType.BOOLEAN), True, ("true", "green")),
        (Column("b", DataType.BOOLEAN), False, ("false", "red")),
        (Column("alert", DataType.BOOLEAN), True, ("ALERT", "red")),
        (Column("alert_p99", DataType.BOOLEAN), False, ("", "")),
        (Column("alerts", DataType.BOOLEAN), False, ("false", "red")),
        (Column("f", DataType.FLOAT64), 1234567.891, ("1.23457e+06", "")),
        (Column("f", DataType.FLOAT64), 0.1, ("0.1", "")),
        (Column("f", DataType.FLOAT64, SemanticType.ST_BYTES), math.nan, ("nan", "")),
        (Column("time_", DataType.INT64), 0, ("1970-01-01T00:00:00Z", "")),
        (Column("t", DataType.TIME64NS), 0, ("1970-01-01T00:00:00Z", "")),
        (Column("n", DataType.INT64), -7, ("-7", "")),
    ],
)
def test_values_by_their_meaning(column, value, cell):
    assert cell_of(column)(value) == cell
