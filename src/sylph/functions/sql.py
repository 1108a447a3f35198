"""Normal forms of SQL statements: constants out, so that statements of one shape count as one."""

from __future__ import annotations

from sylph.functions.declare import Example, Scalar
from sylph.functions.signature import kernel

FUNCTIONS = (
    Scalar(
        "normalize_pgsql",
        "A PostgreSQL statement with its constants replaced by $1, $2 ..., as JSON with `query` and `params`; after"
        " existing parameters the numbers go on. The command is the message's name, Query or Execute; other commands"
        " and statements that cannot be read give JSON with `error`.",
        kernel("(S,S)->S", "normalize_pgsql"),
        examples=(
            Example(
                """px.normalize_pgsql("SELECT * FROM t WHERE a = 'x' AND b = 7", 'Query')""",
                """{"query":"SELECT * FROM t WHERE a = $1 AND b = $2","params":["'x'","7"]}""",
            ),
        ),
        parameters=("sql", "command"),
    ),
    Scalar(
        "normalize_mysql",
        "A MySQL statement with its constants replaced by ?, as JSON with `query` and `params`. The command is 3"
        " (query) or 23 (execute); other commands and statements that cannot be read give JSON with `error`.",
        kernel("(S,I)->S", "normalize_mysql"),
        examples=(
            Example(
                """px.normalize_mysql("SELECT * FROM t WHERE a = 'x' AND b = 7", 3)""",
                """{"query":"SELECT * FROM t WHERE a = ? AND b = ?","params":["'x'","7"]}""",
            ),
        ),
        parameters=("sql", "command"),
    ),
)
