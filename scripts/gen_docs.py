"""Writes docs/reference/ from the declarations: tables, functions, scripts, commands. --check says what is stale."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))
OUT = ROOT / "docs/reference"

if TYPE_CHECKING:
    from sylph.functions.declare import Example
    from sylph.tables.types import ColumnType
NOTE = "<!-- Written by `make generate` from the declarations. Do not edit. -->\n"


def cell(text: object) -> str:
    return " ".join(str(text).replace("|", "\\|").split())


def table(header: list[str], rows: list[list[object]]) -> list[str]:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows]
    return [*lines, ""]


def tables() -> Iterator[str]:
    from sylph.tables import TABLES

    yield "# Tables\n"
    yield "Every table an agent can fill. A table whose source is not running is empty.\n"
    for name, declared in sorted(TABLES.items()):
        yield f"## `{name}`\n"
        yield f"{declared.description} Source: `{declared.source}`.\n"
        yield from table(
            ["column", "type", "semantic type", "pattern", "meaning"],
            [
                [f"`{column.name}`", column.data.name, column.semantic.name, column.pattern.name, column.description]
                for column in declared.columns
            ],
        )


def shown(examples: Iterable[Example]) -> str:
    """Examples in a cell."""
    return "; ".join(f"`{example.expression}` is `{example.value!r}`" for example in examples)


def column_type(kind: ColumnType) -> str:
    """`INT64 (BYTES)`."""
    meaning = kind.semantic.name.removeprefix("ST_")
    return kind.data.name + ("" if meaning == "NONE" else f" ({meaning})")


def functions() -> Iterator[str]:
    from sylph.functions import example_cluster, example_rows
    from sylph.functions.registry import AGGREGATES, SCALARS, TABLE_FUNCTIONS

    yield "# Functions\n"
    yield "Called as `px.<name>(...)`. An overload is chosen by the exact types of the arguments.\n"
    yield "## Scalar functions\n"
    yield f"{example_cluster.LEGEND}\n"
    rows: list[list[object]] = []
    for name, scalar in sorted(SCALARS.items()):
        overloads = [
            f"({', '.join(arg.name for arg in (*overload.init, *overload.args))}) → {overload.result.name}"
            for overload in scalar.overloads
        ]
        rows.append([f"`{name}`", " · ".join(overloads), scalar.placement.value, scalar.doc, shown(scalar.examples)])
    yield from table(["function", "overloads", "runs", "what it gives", "examples"], rows)
    yield "## Aggregates\n"
    yield "Named in a tuple or called: `('latency', px.mean)`, `px.mean('latency')`. Options follow the columns.\n"
    yield f"{example_rows.LEGEND}\n"
    rows = []
    for name, aggregate in sorted(AGGREGATES.items()):
        options = [
            f"{option.name}: {'list of numbers' if option.numbers else option.data.name}"
            + ("" if option.default in (None, "") else f" = {option.default!r}")
            for option in aggregate.options
        ]
        overloads = [
            f"({', '.join([*(arg.name for arg in overload.args), *options])}) → {overload.result.name}"
            for overload in aggregate.overloads
        ]
        error = aggregate.error or "exact"
        rows.append([f"`{name}`", " · ".join(overloads), error, aggregate.doc, shown(aggregate.examples)])
    yield from table(["function", "overloads", "error", "what it gives", "examples"], rows)
    yield "## Table functions\n"
    rows = []
    for name, function in sorted(TABLE_FUNCTIONS.items()):
        arguments = ", ".join(
            f"{argument.name}: {argument.data.name}" + ("" if argument.default is None else f" = {argument.default!r}")
            for argument in function.arguments
        )
        columns = ", ".join(f"{column}: {column_type(kind)}" for column, kind in function.relation.items())
        rows.append([f"`{name}({arguments})`", columns, function.executor.value, function.doc])
    yield from table(["function", "columns", "runs", "what it gives"], rows)


def scripts() -> Iterator[str]:
    from sylph.library import loader

    yield "# Scripts\n"
    yield "Run one with `px run <id> -- --argument value`; read one with `px script show <id>`.\n"
    for script_id in loader.ids():
        script = loader.load(script_id)
        yield f"## `{script_id}`\n"
        yield f"{script.long.strip() or script.short}\n"
        if script.vis and script.vis.variables:
            yield from table(
                ["argument", "type", "default", "meaning"],
                [
                    [
                        f"`{variable.name}`",
                        variable.type,
                        "(required)" if variable.default is None else f"`{variable.default!r}`",
                        variable.description,
                    ]
                    for variable in script.vis.variables
                ],
            )


def commands() -> Iterator[str]:
    import click

    from sylph.cli.main import cli

    yield "# The command `px`\n"

    def walk(command: click.Command, path: str) -> Iterator[str]:
        context = click.Context(command, info_name=path)
        if not command.hidden:
            yield f"## `{path}`\n"
            yield f"{(command.help or '').strip()}\n"
            rows: list[list[object]] = []
            for parameter in command.get_params(context):
                if isinstance(parameter, click.Option) and not parameter.hidden:
                    default = parameter.default
                    shown = (
                        ""
                        if default is None or callable(default) or default is False or "Sentinel" in repr(default)
                        else f"`{default}`"
                    )
                    rows.append([", ".join(f"`{name}`" for name in parameter.opts), shown, parameter.help or ""])
            if rows:
                yield from table(["flag", "default", "meaning"], rows)
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                child = command.get_command(context, name)
                if child is not None:
                    yield from walk(child, f"{path} {name}")

    yield from walk(cli, "px")


PAGES = {"tables.md": tables, "functions.md": functions, "scripts.md": scripts, "commands.md": commands}


def main() -> int:
    stale = []
    for name, write in PAGES.items():
        text = NOTE + "\n" + "\n".join(write()).rstrip() + "\n"
        path = OUT / name
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != text:
                stale.append(str(path.relative_to(ROOT)))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if stale:
        print(f"stale: {', '.join(stale)}; run 'make generate'", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
