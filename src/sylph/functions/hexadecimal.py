"""Bytes as hexadecimal text and back."""

from __future__ import annotations

from sylph.functions.declare import Example, Scalar
from sylph.functions.signature import kernel

FUNCTIONS = (
    Scalar(
        "hex_to_ascii",
        "The text that pairs of hex digits spell; empty when they are not hex digits or do not spell UTF-8 text.",
        kernel("(S)->S", "hex_to_ascii"),
        examples=(Example("px.hex_to_ascii('6869')", "hi"), Example("px.hex_to_ascii('zz')", "")),
    ),
    Scalar(
        "bytes_to_hex",
        r"Every byte of the string as \xHH.",
        kernel("(S)->S", "bytes_to_hex"),
        examples=(Example("px.bytes_to_hex('aé')", r"\x61\xC3\xA9"),),
    ),
)
