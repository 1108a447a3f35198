"""Strings, JSON, regular expressions, SQL, URIs, personal data, models: what each overload gives."""

import json

from tests.contract.overloads import Overloads

CASES = Overloads()
give = CASES.give
MAX, MIN = (1 << 63) - 1, -(1 << 63)
DEEP = "[" * 3000
EMOJI = "\U0001f600"

give("contains", "SS", "B", (("/api/v1", "api"), True), (("", "x"), False), (("x", ""), True), (("É", "é"), False))
give("length", "S", "I", (("abc",), 3), (("",), 0), (("é",), 2), ((EMOJI,), 4), (("\x80",), 2))
give("find", "SS", "I", (("abc", "c"), 2), (("éc", "c"), 2), (("abc", "x"), -1), (("abc", ""), 0), (("", "a"), -1))
give(
    "substring",
    "SII",
    "S",
    (("abcdef", 1, 3), "bcd"),
    (("abc", 5, 1), ""),
    (("abc", -1, 2), ""),
    (("abc", 0, -1), ""),
    (("abc", 1, MAX), "bc"),
    (("abc", MIN, 1), ""),
    (("abc", 3, 1), ""),
    (("éa", 0, 2), "é"),
    (("", 0, 1), ""),
)
give("tolower", "S", "S", (("GET É",), "get É"), (("",), ""), (("ß" + EMOJI,), "ß" + EMOJI))
give("toupper", "S", "S", (("get é",), "GET é"), (("",), ""), (("ß1",), "ß1"))
give(
    "trim",
    "S",
    "S",
    (("  a b \t\n",), "a b"),
    (("",), ""),
    (("   ",), ""),
    (("\u00a0a",), "\u00a0a"),
    (("\r\x0b\x0ca\r\x0b\x0c",), "a"),
    (("every half",), "every half"),
    (("vf",), "vf"),
)
give(
    "strip_prefix",
    "SS",
    "S",
    (("/api", "/api/v1"), "/v1"),
    (("x", "/api"), "/api"),
    (("", "a"), "a"),
    (("ab", "a"), "a"),
    (("a", "aa"), "a"),
)
give(
    "hex_to_ascii",
    "S",
    "S",
    (("6869",), "hi"),
    (("zz",), ""),
    (("",), ""),
    (("686",), ""),
    (("C3A9",), "é"),
    (("ff",), ""),
)
give("bytes_to_hex", "S", "S", (("a",), "\\x61"), (("aé",), "\\x61\\xC3\\xA9"), (("",), ""), (("\x00",), "\\x00"))
give(
    "atoi",
    "SI",
    "I",
    (("42", 0), 42),
    (("-7", 0), -7),
    (("x", 5), 5),
    (("", -1), -1),
    (("9223372036854775807", 0), MAX),
    (("-9223372036854775808", 0), MIN),
    (("9223372036854775808", 3), 3),
    (("1.5", 3), 3),
    (("0x10", 3), 3),
    (("1_000", 3), 3),
    (("1e3", 3), 3),
    (("true", 3), 3),
)
give("itoa", "I", "S", ((42,), "42"), ((MIN,), str(MIN)), ((0,), "0"))

OBJECT = '{"a": "x", "n": {"b": [1, 2]}, "i": 5, "f": 1.5, "t": true, "z": null, "big": 99999999999999999999, "e": 1e3, "": "empty", "a.b": "dot", "é": "u"}'
give(
    "pluck",
    "SS",
    "S",
    ((OBJECT, "a"), "x"),
    ((OBJECT, "n"), '{"b":[1,2]}'),
    ((OBJECT, "i"), "5"),
    ((OBJECT, "f"), "1.5"),
    ((OBJECT, "t"), "true"),
    ((OBJECT, "z"), ""),
    ((OBJECT, "missing"), ""),
    (("[1]", "0"), ""),
    (("nonsense", "a"), ""),
    (("", "a"), ""),
    ((DEEP, "a"), ""),
    ((OBJECT, ""), "empty"),
    ((OBJECT, "a.b"), "dot"),
    ((OBJECT, "é"), "u"),
    ((OBJECT, "*"), ""),
    ((OBJECT, "$.a"), ""),
    (('{"a":1', "a"), ""),
    (('{"a":"\\n\\u00e9"}', "a"), "\né"),
)
give(
    "pluck_int64",
    "SS",
    "I",
    ((OBJECT, "i"), 5),
    ((OBJECT, "f"), 0),
    ((OBJECT, "a"), 0),
    ((OBJECT, "missing"), 0),
    (("", "i"), 0),
    (('{"i": -9223372036854775808}', "i"), MIN),
    ((OBJECT, "big"), 0),
    (('{"i": "5"}', "i"), 0),
    ((OBJECT, "t"), 0),
    ((DEEP, "i"), 0),
)
give(
    "pluck_float64",
    "SS",
    "F",
    ((OBJECT, "f"), 1.5),
    ((OBJECT, "i"), 0.0),
    ((OBJECT, "e"), 1000.0),
    ((OBJECT, "a"), 0.0),
    (("x", "f"), 0.0),
    (('{"f": "1.5"}', "f"), 0.0),
    ((OBJECT, "missing"), 0.0),
)
give(
    "pluck_array",
    "SI",
    "S",
    (('["a", 5, {"b": 1}, null]', 0), "a"),
    (('["a", 5]', 1), "5"),
    (('[{"b": 1}]', 0), '{"b":1}'),
    (('["a"]', 1), ""),
    (('["a"]', -1), ""),
    (("{}", 0), ""),
    (("", 0), ""),
    (('["a"]', MAX), ""),
    (('["a"]', MIN), ""),
    ((DEEP, 0), ""),
)
give(
    "split",
    "SS",
    "S",
    (("a,b,c", ","), '["a","b","c"]'),
    (("", ","), '[""]'),
    (("a", ","), '["a"]'),
    ((",", ","), '["",""]'),
    (('a"b/c\\', "/"), '["a\\"b","c\\\\"]'),
    (("é-ü", "-"), '["é","ü"]'),
)
for pairs in range(9):
    arguments = ("label", "px/pod", *(part for place in range(pairs) for part in (f"k{place}", f'v"{place}')))
    made = {"label": "label", "script": "px/pod", "args": {f"k{place}": f'v"{place}' for place in range(pairs)}}
    give(
        "_script_reference",
        "SS" * (pairs + 1),
        "S",
        (arguments, json.dumps(made, separators=(",", ":"))),
        (("",) * (2 * pairs + 2), {"label": "", "script": "", "args": {"": ""} if pairs else {}}, "json"),
    )

give("regex_match", "S", "B", (("abc",), True), (("xabc",), False), (("a\nc",), True), (("",), False), init="a.c")
give("regex_match", "S", "B", (("abc",), False), (("(",), False), init="(")
give(
    "replace",
    "SS",
    "S",
    (("a1b22", "#"), "a#b#"),
    (("ab", "#"), "ab"),
    (("", "#"), ""),
    (("1", ""), ""),
    (("é9é", "[\\0]"), "é[9]é"),
    init="[0-9]+",
)
give("replace", "SS", "S", (("key=val", "\\2=\\1"), "val=key"), init="(\\w+)=(\\w+)")
give(
    "_match_regex_rule",
    "S",
    "S",
    (("aaa",), "first"),
    (("b1",), "second"),
    (("c",), ""),
    (("",), ""),
    init='{"first": "a+", "second": "b[0-9]", "third": "a.*"}',
)

give(
    "normalize_pgsql",
    "SS",
    "S",
    (
        ("SELECT * FROM t WHERE a = 'x' AND b = 5", "Query"),
        '{"query":"SELECT * FROM t WHERE a = $1 AND b = $2","params":["\'x\'","5"]}',
        "json-query",
    ),
    (("SELECT 1", "Close"), "error", "json-error"),
    (("no statement (", "Query"), "error", "json-error"),
    (("SELECT 'x", "Query"), "error", "json-error"),
    (("", "Query"), "", "any"),
)
give(
    "normalize_mysql",
    "SI",
    "S",
    (
        ("SELECT * FROM t WHERE a = 'x' AND b = 5", 3),
        '{"query":"SELECT * FROM t WHERE a = ? AND b = ?","params":["\'x\'","5"]}',
        "json-query",
    ),
    (("SELECT 1", 99), "error", "json-error"),
    (("no statement (", 3), "error", "json-error"),
    (("SELECT `x", 3), "error", "json-error"),
    (("", 3), "", "any"),
)
give(
    "uri_parse",
    "S",
    "S",
    (
        ("http://u:p@h:80/a/b?q=1#f",),
        {"scheme": "http", "userInfo": "u:p", "host": "h", "port": 80, "path": "/a/b", "query": "q=1", "fragment": "f"},
        "json",
    ),
    (("http://[::1",), "Failed to parse URI"),
    (("http://h:99999x/",), "Failed to parse URI"),
    (("%zz\x00",), "Failed to parse URI"),
)
give(
    "uri_recompose",
    "SSSISSS",
    "S",
    (("http", "u:p", "h", 80, "/a", "q=1", "f"), "http://u:p@h:80/a?q=1#f"),
    (("http", "", "h", 0, "/a", "", ""), "http://h/a", "any"),
    (("", "", "", MIN, "", "", ""), "", "any"),
)
give(
    "redact_pii_best_effort",
    "S",
    "S",
    (("mail ann@example.org now",), "mail <REDACTED_EMAIL> now"),
    (("from 10.0.0.1 to",), "from <REDACTED_IPV4> to"),
    (("card 4111111111111111 x",), "card <REDACTED_CC_NUMBER> x"),
    (("card 4111111111111111 123 12/27",), "card <REDACTED_CC_NUMBER> 123 12/27"),
    (("nothing here 123",), "nothing here 123"),
    (("",), ""),
    (("mac 00:1b:44:11:3a:b7 x",), "mac <REDACTED_MAC_ADDR> x"),
    (("é 2001:db8::ff00:42:8329 é",), "é <REDACTED_IPV6> é"),
    (("ssn 123-45-6789 x",), "ssn <REDACTED_SSN> x"),
    (("iban DE89370400440532013000 x",), "iban <REDACTED_IBAN> x"),
    (("imei 49-015420-323751-8 x",), "imei <REDACTED_IMEI> x"),
)

CLUSTERS = '[{"c":"/users/*","m":[]},{"c":"/health","m":[]}]'
give(
    "_predict_request_path_cluster",
    "SS",
    "S",
    (("/users/17", CLUSTERS), "/users/*"),
    (("/health", CLUSTERS), "/health"),
    (("", CLUSTERS), "", "any"),
    (("/a", ""), "/a", "any"),
    (("/a", DEEP), "/a", "any"),
)
give(
    "_match_endpoint",
    "SS",
    "B",
    (("/users/17", "/users/*"), True),
    (("/users/17?a=b", "/users/*"), True),
    (("/users/17/x", "/users/*"), False),
    (("/users", "/users/*"), False),
    (("", ""), True),
    (("/a", "/b"), False),
)
give(
    "_encode_sentence_piece",
    "S",
    "S",
    (("",), "[]"),
    ((" ",), "[]"),
    (("select a",), "", "any"),
    ((EMOJI * 500,), "", "any"),
)
give(
    "_text_embedding",
    "S",
    "S",
    (("[1,2,3]",), 64, "json-length"),
    (("[]",), 64, "json-length"),
    (("nonsense",), 64, "json-length"),
    ((DEEP,), 64, "json-length"),
)
give("_kmeans_inference", "SS", "I", (("[1.0]", '{"centroids":[]}'), -1), (("", ""), -1), (("x", DEEP), -1))
