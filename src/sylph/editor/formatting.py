"""One layout for PxL. Python's own formatter does it; what PxL has beside Python is put right here."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tempfile
import tokenize
from collections.abc import Mapping, Sequence
from pathlib import Path

from sylph.pxl.errors import CompileError, split_lines
from sylph.pxl.flags import parse_flags
from sylph.pxl.parse import Parsed, parse

#: Columns that a line may take.
LINE_LENGTH = 100
#: Formatting is quick; a formatter that takes longer is stuck.
_TIMEOUT_S = 60
#: Flags and parameters of a query are comments that begin so, at the beginning of a line.
_FLAG = "#px:"
#: A comment that begins so is left as it is by the formatter, which would write `# px:set`, and that is no flag.
_KEPT = "#:px-"

#: A list alone in a subscript, over several lines: indent, what comes before, its lines, what follows.
_DOUBLE = re.compile(
    r"^([ ]*)([^\n]*[\w)\]])\[\n\1[ ]{4}\[\n((?:\1[ ]{8}[^\n]*\n)+)\1[ ]{4}\]\n\1\]([^\n]*)$", re.MULTILINE
)


class FormatError(Exception):
    """The formatter itself failed, or would have changed what a script means."""


def format_source(source: str, *, line_length: int = LINE_LENGTH) -> str:
    """`source` in the one layout. Raises CompileError if it cannot be parsed, and FormatError."""
    result = format_sources({"": source}, line_length=line_length)[""]
    if isinstance(result, str):
        return result
    raise result


def format_sources(
    sources: Mapping[str, str], *, line_length: int = LINE_LENGTH
) -> dict[str, str | CompileError | FormatError]:
    """Each source by its key in the one layout, or what is wrong with it. One process formats all of them."""
    results: dict[str, str | CompileError | FormatError] = {}
    prepared: list[tuple[str, str, Parsed]] = []
    for key, source in sources.items():
        try:
            parsed = parse("\n".join(split_lines(source.removeprefix("\ufeff"))))
        except CompileError as error:
            results[key] = error
        else:
            prepared.append((key, source, parsed))
    try:
        texts = _run_formatter([_shielded(_with_commas(parsed)) for _, _, parsed in prepared], line_length)
    except FormatError as error:
        return results | {key: error for key, _, _ in prepared}
    for (key, source, parsed), text in zip(prepared, texts, strict=True):
        if text is None:
            results[key] = FormatError("the formatter cannot read this script; it is left as it was")
            continue
        formatted = re.sub(rf"^[ \t]*{re.escape(_mark(parsed.source))}", _FLAG, text, flags=re.MULTILINE)
        found = next((one for one in (_hugged(formatted), formatted) if _means_the_same(parsed, one)), None)
        if found is None:
            results[key] = _changed(source)
        else:
            results[key] = found.replace("\n", "\r\n") if _ends_with_crlf(source) else found
    return {key: results[key] for key in sources}


def _hugged(text: str) -> str:
    """`df[[` and `]]` on one line each, where the formatter gives every bracket its own: scripts are full of these."""
    if "# fmt:" in text:
        return text  # some of it is to stay as it is
    before = ""
    while before != text:
        before, text = text, _DOUBLE.sub(_hug, text)
    return text


def _hug(match: re.Match[str]) -> str:
    indent, opening, inner, closing = match.groups()
    lines = (f"{indent}{line[len(indent) + 4 :]}\n" for line in inner.splitlines())
    return f"{indent}{opening}[[\n{''.join(lines)}{indent}]]{closing}"


def _ends_with_crlf(source: str) -> bool:
    """Whether lines end as on Windows; the first one tells."""
    end = source.find("\n")
    return end > 0 and source[end - 1] == "\r"


def _changed(source: str) -> FormatError:
    hint = " (a docstring line that begins with #px: is a flag)" if _FLAG in source else ""
    return FormatError(f"formatting would change what this script means; it is left as it was{hint}")


def _with_commas(parsed: Parsed) -> str:
    """The source with the commas that were left out and understood."""
    if not parsed.missing_commas:
        return parsed.source
    lines = split_lines(parsed.source)
    for line, column in sorted(parsed.missing_commas, reverse=True):
        text = lines[line - 1]
        lines[line - 1] = f"{text[: column - 1]},{text[column - 1 :]}"
    return "\n".join(lines)


def _mark(source: str) -> str:
    mark = _KEPT
    while mark in source:
        mark += "-"
    return mark


def _shielded(source: str) -> str:
    """`source` with every flag, a comment at the beginning of a line, written as a comment that stays as it is."""
    if _FLAG not in source:
        return source
    lines = split_lines(source)
    mark = _mark(source)
    # A text with several lines may hold one too: only comments are changed.
    for token in tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline):
        row, column = token.start
        if token.type == tokenize.COMMENT and column == 0 and token.string.startswith(_FLAG):
            lines[row - 1] = mark + lines[row - 1].removeprefix(_FLAG)
    return "\n".join(lines)


def _run_formatter(sources: Sequence[str], line_length: int) -> list[str | None]:
    """Formatted texts; None where the formatter could not read one."""
    if not sources:
        return []
    try:
        from ruff import find_ruff_bin
    except ImportError:
        raise FormatError("the formatter ruff is not installed; install it with: pip install ruff") from None

    # The user's own settings for Python are not those of PxL.
    options = ["--isolated", "--no-cache", "--quiet", "--line-length", str(line_length)]
    options += ["--config", "format.quote-style='preserve'"]
    with tempfile.TemporaryDirectory(prefix="px-fmt-") as folder:
        paths = [Path(folder, f"{number}.py") for number in range(len(sources))]
        for path, source in zip(paths, sources, strict=True):
            path.write_bytes(source.encode())
        try:
            done = subprocess.run(
                [find_ruff_bin(), "format", *options, folder],
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise FormatError(f"the formatter ruff cannot be run: {error}") from None
        if done.returncode not in {0, 2}:
            raise FormatError(f"the formatter ruff failed: {done.stderr.strip()[:400]}")
        failed = {int(name) for name in re.findall(r"(\d+)\.py", done.stderr)} if done.returncode else set()
        if done.returncode and not failed:
            raise FormatError(f"the formatter ruff failed: {done.stderr.strip()[:400]}")
        return [None if number in failed else path.read_bytes().decode() for number, path in enumerate(paths)]


def _means_the_same(before: Parsed, formatted: str) -> bool:
    try:
        after = parse(formatted)
    except CompileError:
        return False
    # A script can use the text of its docstring; else only its words count.
    docstrings = frozenset[int]() if "__doc__" in before.source else _docstrings(before.tree)
    return _same_tree(before.tree, after.tree, docstrings) and _flags(before.source) == _flags(formatted)


def _flags(source: str) -> tuple[object, list[str]]:
    flags, errors = parse_flags(source)
    return flags, [error.message for error in errors]


def _docstrings(tree: ast.Module) -> frozenset[int]:
    """Identities of the constants that are docstrings."""
    found = set()
    bodies: list[list[ast.stmt]] = [tree.body]
    while bodies:
        body = bodies.pop()
        first = body[0] if body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            found.add(id(first.value))
        bodies += [statement.body for statement in body if isinstance(statement, ast.FunctionDef)]
    return frozenset(found)


def _same_tree(left: ast.AST, right: ast.AST, docstrings: frozenset[int]) -> bool:
    """Whether two trees say the same, whatever the layout of `docstrings` of the left one."""
    # Without recursion: expressions may be nested as deep as the parser allows.
    pairs: list[tuple[object, object]] = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if type(one) is not type(other):
            return False
        if isinstance(one, ast.Constant) and isinstance(other, ast.Constant):
            # Not `kind`, the letter before u'text'.
            if id(one) in docstrings and isinstance(one.value, str) and isinstance(other.value, str):
                pairs.append((one.value.split(), other.value.split()))
            else:
                pairs.append((one.value, other.value))
        elif isinstance(one, ast.AST):
            pairs += ((getattr(one, name, None), getattr(other, name, None)) for name in one._fields)
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            pairs += zip(one, other, strict=True)
        elif one != other:
            return False
    return True
