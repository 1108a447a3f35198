"""The entry of `px`. Each command's module is imported when it is used, since start-up time is felt."""

from __future__ import annotations

import importlib
import os
import signal
import sys

import click

from sylph.cli.failure import Failure
from sylph.cli.target import target_options
from sylph.client.errors import SylphError
from sylph.client.target import Target

#: Command to (module, one line about it). The line is here so that `px --help` imports no command.
COMMANDS = {
    "up": ("up", "Start to watch this host."),
    "down": ("down", "End what `px up` started."),
    "status": ("status", "Tell whether the agent runs and answers."),
    "run": ("run", "Run a script and print its tables."),
    "repl": ("repl", "Ask at a prompt, with completion and history."),
    "script": ("script", "List, show, write and check scripts."),
    "fmt": ("fmt", "Give scripts one layout."),
    "lsp": ("lsp", "Serve editors: diagnostics, completion, hover, formatting."),
    "explain": ("explain", "Show how a script would be executed."),
    "get": ("get", "Show agents."),
    "doctor": ("doctor", "Find out what can be seen on this host, and why not."),
    "completion": ("completion", "Print the set-up of a shell's completion."),
    "help": ("help", "Print help of a command, or of a script."),
    "version": ("version", "Print the version."),
}
_ALIASES = {"scripts": "script"}
#: 128 + SIGINT, as shells do.
_INTERRUPTED = 128 + signal.SIGINT


class _Commands(click.Group):
    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = _ALIASES.get(cmd_name, cmd_name)
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"sylph.cli.commands.{COMMANDS[name][0]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and args[0] not in _ALIASES and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"no command {args[0]!r}." + (f" Did you mean {close[0]!r}?" if close else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@target_options
@click.pass_context
def cli(context: click.Context) -> None:
    """See what every process of this host says and does: `px up -d`, then `px run px/cluster`."""
    context.ensure_object(Target)


def run(arguments: list[str] | None = None) -> int:
    """Runs `px` and returns its exit code: 0, 1 for any error, 130 after Ctrl-C."""
    try:
        _prepare_streams()
        if "_PX_COMPLETE" in os.environ:
            cli.main(arguments, prog_name="px")
        # Not cli.main, which ends with 1 when a pipe is closed and prints on Ctrl-C.
        with cli.make_context("px", sys.argv[1:] if arguments is None else arguments) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        error.show()
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SylphError as error:
        Failure(error.message, error.hint).show()
        return 1
    except (KeyboardInterrupt, click.Abort):
        return _INTERRUPTED
    except BrokenPipeError:
        # Who reads has had enough. What is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        Failure(f"cannot write the answer: {error.strerror or error}").show()
        # What is still buffered must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _prepare_streams() -> None:
    """Makes both streams usable: closed ones, and ones whose encoding lacks what is shown."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
        elif stream.encoding.lower() not in {"utf-8", "utf8"}:
            stream.reconfigure(errors="backslashreplace")


def main() -> None:
    """The command `px`."""
    sys.exit(run())


if __name__ == "__main__":
    main()
