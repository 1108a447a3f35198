"""Bounds on what one script may ask of the compiler. Each is far above any script written by a person."""

#: Bytes of source text.
MAX_SOURCE_BYTES = 128 * 1024
#: Brackets inside brackets.
MAX_NESTING = 100
#: Evaluation steps; a plan node costs as many steps as it has columns.
MAX_STEPS = 300_000
#: Functions that call functions.
MAX_CALL_DEPTH = 40
#: Expressions and calls being evaluated inside one another.
MAX_EVALUATION_DEPTH = 220
#: Columns of one DataFrame.
MAX_COLUMNS = 1_000
#: Operators in one plan, and the longest path through it.
MAX_OPERATORS = 3_000
MAX_OPERATOR_DEPTH = 300
#: Nodes and depth of one column expression.
MAX_EXPRESSION_NODES = 5_000
MAX_EXPRESSION_DEPTH = 100
#: Bytes of a plan, about; `plan.codec` accepts somewhat more. What is made of text and not used counts too.
MAX_PLAN_BYTES = 3 * 2**20
#: Characters of the name of a column or a result table.
MAX_NAME = 4_000
#: Characters of a string made at compile time.
MAX_STRING = 1024 * 1024
#: Result tables of one script.
MAX_SINKS = 200
