"""px lsp."""

from __future__ import annotations

import logging
import os
import sys

import click


@click.command("lsp", short_help="Serve editors: diagnostics, completion, hover, formatting.")
# What many editors say to every server.
@click.option("--stdio", is_flag=True, hidden=True, expose_value=False)
def command() -> None:
    """Serve editors: diagnostics, completion, hover, formatting.

    A language server on standard input and output, for an editor to start. docs/pxl/editors.md tells how to set up
    VS Code, Neovim, Helix and Emacs.
    """
    from sylph.cli.failure import Failure

    if sys.stdin.isatty():
        raise Failure("px lsp talks to an editor, not to a person", "let the editor start it: docs/pxl/editors.md")
    try:
        from sylph.editor.server import make_server
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in {"pygls", "lsprotocol"}:
            raise
        raise Failure(f"px lsp needs the package {package}", "install it with: pip install pygls") from None

    # Editors log standard error as errors. pygls warns of what any editor may send: messages that a server has no use
    # for, cancellations behind the answer.
    logging.getLogger("pygls").setLevel(logging.ERROR)
    server = make_server()
    # The server closes what it writes to; this process has its own to flush.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        server.start_io(stdout=answers)
    if not server.was_shut_down:
        # As the protocol wants it, after an end that the editor did not ask for.
        raise click.exceptions.Exit(1)
