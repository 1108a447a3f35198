"""px completion."""

from __future__ import annotations

import click


@click.command("completion", short_help="Print the set-up of a shell's completion.")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the set-up of a shell's completion: eval "$(px completion bash)"."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    completion = kind(context.find_root().command, {}, "px", "_PX_COMPLETE")
    # Asking bash for its version fails where bash is absent; its script needs no check.
    click.echo(completion.source_template % completion.source_vars())
