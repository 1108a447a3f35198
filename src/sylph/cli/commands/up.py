"""px up."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import click

from sylph.agent.options import MIB, Listen, Options, default_data_directory, default_socket
from sylph.cli.failure import Failure, say
from sylph.cli.sizes import Duration, Size

_START_LIMIT_S = 60.0
_LOG_LINES = 20
_LOG_LINE = re.compile(r"\S+ \S+ (WARNING|ERROR) \S+: (.+)")
_MIN_MEMORY = 16 * MIB
_PATH = click.Path(path_type=Path, resolve_path=True)


def _listen_address(_context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, int] | None:
    if value is None:
        return None
    host, colon, port = value.rpartition(":")
    if not host or not colon or not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter(f"{value!r} is not an address: write it as HOST:PORT", param=parameter)
    return host.strip("[]"), int(port)


@click.command("up", short_help="Start to watch this host.")
@click.option("-d", "--detach", is_flag=True, help="Run in the background, and return when it answers.")
@click.option(
    "--memory", type=Size(), default="512MiB", show_default=True, envvar="PX_MEMORY", help="Budget for recent rows."
)
@click.option(
    "--disk",
    type=Size(),
    default="2GiB",
    show_default=True,
    envvar="PX_DISK",
    help="Budget for older rows; 0 keeps rows in memory only.",
)
@click.option(
    "--data-dir",
    type=_PATH,
    envvar="PX_DATA_DIR",
    default=default_data_directory,
    show_default="/var/lib/sylph for root",
    help="Where rows, keys and certificates are kept.",
)
@click.option(
    "--flush-interval",
    type=Duration(),
    default="10s",
    show_default=True,
    envvar="PX_FLUSH_INTERVAL",
    help="Rows that a crash may lose, as time.",
)
@click.option(
    "--method",
    type=click.Choice(("auto", "tcp", "syscall")),
    default="auto",
    show_default=True,
    envvar="PX_METHOD",
    help="How bytes are seen; px doctor tells what this kernel has.",
)
@click.option(
    "--trace-clients",
    is_flag=True,
    envvar="PX_TRACE_CLIENTS",
    help="Record the client's side too where the server's is recorded.",
)
@click.option(
    "--max-body-bytes",
    type=Size(),
    default=512,
    show_default=True,
    envvar="PX_MAX_BODY_BYTES",
    help="Bytes kept of a body.",
)
@click.option(
    "--socket",
    type=_PATH,
    envvar="PX_SOCKET",
    default=default_socket,
    show_default="/run/sylph/px.sock for root",
    help="Unix socket to answer on.",
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    callback=_listen_address,
    envvar="PX_LISTEN",
    help="Answer on TCP too, with TLS and a key.",
)
@click.option("--tls-cert", type=_PATH, envvar="PX_TLS_CERT", help="Certificate (PEM); self-signed when not given.")
@click.option("--tls-key", type=_PATH, envvar="PX_TLS_KEY", help="Private key of the certificate (PEM).")
@click.option(
    "--keys-file", type=_PATH, envvar="PX_KEYS_FILE", help="Keys for TCP, one a line; made when it does not exist."
)
@click.option("--insecure-loopback", is_flag=True, help="No TLS; only with a loopback address.")
def command(
    *,
    detach: bool,
    memory: int,
    disk: int,
    data_dir: Path,
    flush_interval: float,
    method: str,
    trace_clients: bool,
    max_body_bytes: int,
    socket: Path,
    listen: tuple[str, int] | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    keys_file: Path | None,
    insecure_loopback: bool,
) -> None:
    """Start to watch this host: in the foreground, or with -d in the background.

    Nothing in the watched programs changes. `px down` ends it.
    """
    if memory < _MIN_MEMORY:
        raise Failure(f"--memory must be at least {_MIN_MEMORY // MIB}MiB")
    if flush_interval <= 0:
        raise Failure("--flush-interval must be more than 0")
    if listen is None and (tls_cert or tls_key or keys_file or insecure_loopback):
        raise Failure("TLS and keys are for TCP", "give --listen HOST:PORT too")
    options = Options(
        data_directory=data_dir,
        socket=socket,
        memory=memory,
        disk=disk,
        flush_interval=flush_interval,
        method=method,
        trace_clients=trace_clients,
        max_body_bytes=max_body_bytes,
        listen=None
        if listen is None
        else Listen(*listen, keys_file or data_dir / "keys", tls_cert, tls_key, plaintext=insecure_loopback),
    )
    if detach:
        start_detached(options)
    else:
        run_here(options)


def run_here(options: Options) -> None:
    """Runs the agent in this process until it is told to end. Raises Failure when it cannot start."""
    import logging

    from sylph.cli.process import claimed

    # gRPC's core would write lines of its own beside ours.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with claimed(options.socket):
        # Loads pyarrow and the native module: not needed for `px up --help`.
        from sylph.cli import host

        try:
            if trouble := host.run(options):
                raise Failure(trouble)
        except Exception as error:
            # Ours, and the system's, say what to do; anything else is a defect, whose traceback helps.
            if isinstance(error, OSError) or type(error).__module__.startswith("sylph"):
                raise Failure(str(error)) from error
            raise


def arguments(options: Options) -> list[str]:
    """The command line that gives these options."""
    out = ["--memory", str(options.memory), "--disk", str(options.disk), "--method", options.method]
    out += ["--flush-interval", f"{options.flush_interval!r}s", "--max-body-bytes", str(options.max_body_bytes)]
    out += ["--data-dir", str(options.data_directory), "--socket", str(options.socket)]
    out += ["--trace-clients"] if options.trace_clients else []
    if listen := options.listen:
        out += ["--listen", f"[{listen.host}]:{listen.port}", "--keys-file", str(listen.keys_file)]
        out += ["--tls-cert", str(listen.certificate)] if listen.certificate else []
        out += ["--tls-key", str(listen.private_key)] if listen.private_key else []
        out += ["--insecure-loopback"] if listen.plaintext else []
    return out


def start_detached(options: Options) -> None:
    """Starts the agent in the background and waits until it answers. Raises Failure with the end of its log."""
    from sylph.cli.process import log_file, running

    if other := running(options.socket):
        say(f"an agent runs already, pid {other.pid}; its options stay as they are (px down ends it)")
        return
    log = log_file(options.socket)
    try:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise Failure(f"cannot write {log}: {error.strerror}", "choose another place with --socket") from None
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PX_")}
    with os.fdopen(descriptor, "ab") as output:
        # -P: a folder named sylph where the user happens to be must not be imported.
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "sylph.cli.main", "up", *arguments(options)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=environment,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(child, options.socket, log)
    except BaseException:
        # Whatever ended the waiting, nothing may be left behind.
        child.terminate()
        child.wait(30)
        raise
    for line in _troubles(log):
        say(line)
    click.echo(f"the agent runs, pid {child.pid}; its log is {log}")
    click.echo("try: px run px/cluster")


def _wait_until_it_answers(child: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    from sylph.client.rpc import Client, is_listening
    from sylph.client.target import Target

    began = time.monotonic()
    shows = sys.stderr.isatty()
    why = "it does not listen yet"
    try:
        while (waited := time.monotonic() - began) < _START_LIMIT_S:
            if child.poll() is not None:
                raise Failure(f"the agent ended at once, with exit code {child.returncode}", _tail(log))
            if is_listening(socket):
                with Client(Target(socket=socket)) as client:
                    why = client.health()
                if not why:
                    return
            if shows:
                sys.stderr.write(f"\rstarting … {waited:.0f} s ")
                sys.stderr.flush()
            time.sleep(0.05)
    finally:
        if shows:
            sys.stderr.write("\r\x1b[K")
    raise Failure(f"the agent does not answer after {_START_LIMIT_S:.0f} s: {why}", _tail(log))


def _troubles(log: Path) -> list[str]:
    """What went wrong at the start although the agent runs, such as a folder that cannot be written."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    found = (_LOG_LINE.match(line) for line in lines)
    return [f"{match[1].lower()}: {match[2]}" for match in found if match and match[1] in ("WARNING", "ERROR")]


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    return "\n".join([f"the end of {log}:", *(f"  {line}" for line in lines)])
