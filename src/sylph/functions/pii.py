"""Personal data."""

from __future__ import annotations

from sylph.functions.declare import Example, Scalar
from sylph.functions.signature import kernel

FUNCTIONS = (
    Scalar(
        "redact_pii_best_effort",
        "The text with what looks like personal data replaced by its kind in angle brackets: IBAN, email, IPv6 and IPv4"
        " addresses, MAC addresses, IMEI, IMEISV, card numbers (CC_NUMBER) and social security numbers (SSN). Numbers"
        " with check digits are replaced only when those are right. Best effort: it can miss some.",
        kernel("(S)->S", "redact_pii_best_effort"),
        examples=(
            Example("px.redact_pii_best_effort('mail a@b.org now')", "mail <REDACTED_EMAIL> now"),
            Example("px.redact_pii_best_effort('from 10.1.2.3')", "from <REDACTED_IPV4>"),
        ),
        parameters=("text",),
    ),
)
