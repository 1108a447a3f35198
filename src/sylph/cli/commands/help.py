"""px help."""

from __future__ import annotations

import click


@click.command("help", short_help="Print help of a command, or of a script.")
@click.argument("words", nargs=-1)
@click.pass_context
def command(context: click.Context, words: tuple[str, ...]) -> None:
    """Print help: px help, px help up, px help script list, px help run px/http_data."""
    root = context.find_root()
    if len(words) == 2 and words[0] == "run":
        from sylph.cli.query import find_script
        from sylph.cli.script_args import describe

        click.echo(describe(find_script(words[1], None)))
        return
    found: click.Command = root.command
    where = root
    for word in words:
        child = found.get_command(where, word) if isinstance(found, click.Group) else None
        if child is None:
            raise click.UsageError(f"no command {' '.join(words)!r}", root)
        found, where = child, click.Context(child, info_name=word, parent=where)
    click.echo(found.get_help(where))
