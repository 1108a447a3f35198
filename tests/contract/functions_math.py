"""Operators and mathematics: what each overload gives, documented and hostile input."""

from tests.contract.overloads import Overloads

CASES = Overloads()
give = CASES.give
INF, NAN = float("inf"), float("nan")
MAX, MIN = (1 << 63) - 1, -(1 << 63)

for letter, (one, two) in {"B": (True, False), "I": (MAX, MIN), "F": (1.5, NAN), "T": (5, 0), "S": ("é", "")}.items():
    give("select", f"B{letter}{letter}", letter, ((True, one, two), one), ((False, one, two), two))
for types, result in {"II": "I", "TI": "T", "IT": "T"}.items():
    give("add", types, result, ((1, 2), 3), ((-5, 3), -2), ((MAX, 1), MIN), ((MIN, -1), MAX), ((0, 0), 0))
give("add", "FF", "F", ((1.5, 2.0), 3.5), ((INF, 1.0), INF), ((INF, -INF), NAN), ((1e308, 1e308), INF))
give("add", "FI", "F", ((1.5, 2), 3.5), ((NAN, 2), NAN))
give("add", "IF", "F", ((2, 1.5), 3.5), ((MIN, 0.0), float(MIN)))
give("add", "SS", "S", (("a", "b"), "ab"), (("", ""), ""), (("é", "\x7f"), "é\x7f"))
for types, result in {"II": "I", "TI": "T", "TT": "I", "IT": "I"}.items():
    give("subtract", types, result, ((5, 7), -2), ((MIN, 1), MAX), ((MAX, -1), MIN), ((0, MIN), MIN))
give("subtract", "FF", "F", ((1.5, 1.0), 0.5), ((INF, INF), NAN))
give("subtract", "FI", "F", ((1.5, 1), 0.5))
give("subtract", "IF", "F", ((1, 1.5), -0.5))
give(
    "divide",
    "II",
    "F",
    ((7, 2), 3.5),
    ((1, 0), INF),
    ((-1, 0), -INF),
    ((0, 0), NAN),
    ((MIN, -1), 9223372036854775808.0),
)
give("divide", "FI", "F", ((7.0, 2), 3.5), ((0.0, 0), NAN), ((-1.5, 0), -INF))
give("divide", "IF", "F", ((7, 2.0), 3.5), ((1, INF), 0.0))
give("divide", "FF", "F", ((7.0, 2.0), 3.5), ((1.0, 0.0), INF), ((NAN, 1.0), NAN), ((INF, INF), NAN))
give("multiply", "II", "I", ((6, 7), 42), ((MAX, 2), -2), ((MIN, -1), MIN), ((1 << 32, 1 << 32), 0))
give("multiply", "FF", "F", ((6.0, 0.5), 3.0), ((INF, 0.0), NAN))
give("multiply", "FI", "F", ((0.5, 6), 3.0))
give("multiply", "IF", "F", ((6, 0.5), 3.0))
for types in ("FF", "FI", "IF", "II"):
    two, eight = (2.0 if types[0] == "F" else 2), (8.0 if types[1] == "F" else 8)
    give("log", types, "F", ((two, eight), 3.0), ((two, eight - eight), -INF), ((two, -eight), NAN))
    give("pow", types, "F", ((two, eight), 256.0), ((two - two, eight - eight), 1.0), ((two, -eight), 1 / 256))
for types in ("F", "I"):
    one, four = (1.0, 4.0) if types == "F" else (1, 4)
    give("ln", types, "F", ((one,), 0.0), ((one - one,), -INF), ((-one,), NAN))
    give("log2", types, "F", ((four,), 2.0), ((one - one,), -INF), ((-one,), NAN))
    give("log10", types, "F", ((one,), 0.0), ((one - one,), -INF), ((-one,), NAN))
    give(
        "exp", types, "F", ((one - one,), 1.0), ((one,), 2.718281828459045), ((four * 500,), INF), ((four * -500,), 0.0)
    )
    give("sqrt", types, "F", ((four,), 2.0), ((-one,), NAN))
give("abs", "F", "F", ((-1.5,), 1.5), ((-INF,), INF), ((NAN,), NAN))
give("abs", "I", "I", ((-1,), 1), ((MIN,), MIN), ((MAX,), MAX))
for types in ("TI", "TT", "IT", "II"):
    give("modulo", types, "I", ((7, 3), 1), ((-7, 3), -1), ((7, -3), 1), ((MIN, -1), 0), ((7, 0), 0))
give("ceil", "F", "I", ((1.2,), 2), ((-1.2,), -1), ((2.0,), 2), ((NAN,), MIN), ((INF,), MIN), ((1e30,), MIN))
give("floor", "F", "I", ((1.8,), 1), ((-1.2,), -2), ((-0.0,), 0), ((NAN,), MIN), ((-INF,), MIN))
give("logicalOr", "II", "B", ((0, 0), False), ((0, -1), True), ((MIN, 0), True))
give("logicalOr", "BB", "B", ((False, False), False), ((True, False), True))
give("logicalAnd", "II", "B", ((2, -1), True), ((2, 0), False))
give("logicalAnd", "BB", "B", ((True, True), True), ((True, False), False))
give("logicalNot", "I", "B", ((0,), True), ((5,), False), ((-1,), False))
give("logicalNot", "B", "B", ((True,), False), ((False,), True))
give("negate", "I", "I", ((3,), -3), ((MIN,), MIN), ((0,), 0))
give("negate", "F", "F", ((1.5,), -1.5), ((INF,), -INF))
give("invert", "I", "I", ((0,), -1), ((-1,), 0), ((MAX,), MIN))
for name, yes in (("equal", True), ("notEqual", False)):
    give(name, "II", "B", ((1, 1), yes), ((MIN, MAX), not yes))
    give(name, "SS", "B", (("a", "a"), yes), (("", "a"), not yes), (("é", "é"), yes), (("a", "A"), not yes))
    give(name, "BB", "B", ((True, True), yes), ((True, False), not yes))
    give(name, "TT", "B", ((5, 5), yes), ((5, 6), not yes))
    give(name, "UU", "B", ((1 << 127, 1 << 127), yes), ((1, 1 << 64), not yes))
    give(name, "BI", "B", ((True, 1), yes), ((True, 2), not yes), ((False, 0), yes))
    give(name, "IB", "B", ((1, True), yes), ((0, True), not yes))
    give(name, "IF", "B", ((1, 1.0), yes), ((1, 1.5), not yes), ((1, NAN), not yes))
    give(name, "FI", "B", ((1.0, 1), yes), ((1.5, 1), not yes))
    give(name, "FF", "B", ((0.1 + 0.2, 0.3), yes), ((0.1, 0.2), not yes), ((NAN, NAN), not yes))
give("approxEqual", "FF", "B", ((0.1 + 0.2, 0.3), True), ((0.5, 0.6), False), ((NAN, NAN), False))
ORDER = {
    "greaterThan": (False, False, True),
    "greaterThanEqual": (False, True, True),
    "lessThan": (True, False, False),
    "lessThanEqual": (True, True, False),
}
for name, (less, same, more) in ORDER.items():
    give(name, "II", "B", ((1, 2), less), ((2, 2), same), ((MAX, MIN), more))
    give(name, "TT", "B", ((1, 2), less), ((2, 2), same), ((3, 2), more))
    give(
        name,
        "FF",
        "B",
        ((1.0, 2.0), less),
        ((2.0, 2.0), same),
        ((INF, 2.0), more),
        ((NAN, 1.0), False),
        ((1.0, NAN), False),
    )
    give(
        name,
        "SS",
        "B",
        (("a", "b"), less),
        (("a", "a"), same),
        (("é", "z"), more),
        (("", "a"), less),
        (("a", "Z"), more),
    )
for types, result in {"II": "I", "TT": "T", "IT": "I", "TI": "T"}.items():
    give(
        "bin", types, result, ((17, 5), 15), ((20, 5), 20), ((-7, 5), -5), ((17, 0), 17), ((0, 7), 0), ((MIN, -1), MIN)
    )
give("bin", "FI", "I", ((17.9, 5), 15), ((-7.5, 5), -5), ((3.0, 10), 0))
give(
    "round",
    "FI",
    "S",
    ((3.14159, 2), "3.14"),
    ((2.0, 0), "2"),
    ((-0.5, 1), "-0.5"),
    ((1e3, 1), "1000.0"),
    ((NAN, 2), "nan"),
    ((INF, 0), "inf"),
)
give("time_to_int64", "T", "I", ((5,), 5), ((MIN,), MIN), ((MAX,), MAX))
give("int64_to_time", "I", "T", ((5,), 5), ((MIN,), MIN), ((MAX,), MAX))
