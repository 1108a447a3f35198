"""URIs taken apart and put together."""

from __future__ import annotations

from sylph.functions.declare import Example, Scalar
from sylph.functions.signature import kernel, sql

FUNCTIONS = (
    Scalar(
        "uri_parse",
        "A URI as JSON: scheme, userInfo, host, port, path, query, fragment. Absent parts are empty, an absent port is"
        " 0. Text that is no URI (RFC 3986) gives `Failed to parse URI`.",
        kernel("(S)->S", "uri_parse"),
        examples=(
            Example(
                "px.uri_parse('http://u@shop:80/cart?id=1#top')",
                '{"scheme":"http","userInfo":"u","host":"shop","port":80,"path":"/cart","query":"id=1",'
                '"fragment":"top"}',
            ),
            Example("px.uri_parse('http://[::')", "Failed to parse URI"),
        ),
        parameters=("uri",),
    ),
    Scalar(
        "uri_recompose",
        "A URI from its parts; parts that are empty, and a port outside 1 to 65535, are left out.",
        sql(
            "(S,S,S,I,S,S,S)->S",
            "concat(CASE WHEN {0} = '' THEN '' ELSE {0} || ':' END,"
            " CASE WHEN {2} = '' THEN '' ELSE concat('//', CASE WHEN {1} = '' THEN '' ELSE {1} || '@' END, {2},"
            " CASE WHEN {3} BETWEEN 1 AND 65535 THEN ':' || CAST({3} AS VARCHAR) ELSE '' END,"
            " CASE WHEN {4} = '' OR starts_with({4}, '/') THEN '' ELSE '/' END) END,"
            " {4}, CASE WHEN {5} = '' THEN '' ELSE '?' || {5} END, CASE WHEN {6} = '' THEN '' ELSE '#' || {6} END)",
        ),
        examples=(
            Example(
                "px.uri_recompose('http', 'u', 'shop', 80, '/cart', 'id=1', 'top')", "http://u@shop:80/cart?id=1#top"
            ),
            Example("px.uri_recompose('', '', '', 0, '/cart', '', '')", "/cart"),
        ),
        parameters=("scheme", "user_info", "host", "port", "path", "query", "fragment"),
    ),
)
