"""Host mode: which namespace, pod and service a process of a plain host belongs to.

| column    | what it is                                                                                       |
|-----------|--------------------------------------------------------------------------------------------------|
| namespace | container engine, or systemd slice, or `host`                                                     |
| pod       | `namespace/` container name, or systemd unit, or the program                                      |
| service   | `namespace/` compose service, or systemd service, or the program                                  |

The program is the executable's name; for an interpreter, the name of the script or archive that it runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from sylph.metadata.engines import Container, Engines, container_in
from sylph.metadata.process import Process

_INTERPRETERS = re.compile(
    r"^(?:python|pypy|ruby|perl|php|lua|node|nodejs|deno|bun|java|bash|sh|dash|zsh|Rscript|mono|dotnet)[\d.]*$"
)
#: Options whose value is a separate argument, so that the value isn't taken for the script.
_WITH_VALUE = {
    "-W", "-X", "-r", "--require", "--import", "-I", "-cp", "-classpath", "--class-path", "-p", "--module-path",
}  # fmt: skip
_UNIT = re.compile(r"/(?P<unit>[^/]+\.(?:service|scope|socket|mount))(?:/|$)")
_SLICE = re.compile(r"(?P<slice>[^/]+\.slice)(?=/)")
_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True)
class Workload:
    """Where a process runs. `pod` and `service` are `namespace/name`; container fields are empty outside containers."""

    namespace: str
    pod_id: str
    pod: str
    service: str
    container_id: str = ""
    container_name: str = ""

    @property
    def unnamed(self) -> bool:
        """Whether it is a container that its engine does not name."""
        return bool(self.container_id) and self.container_id.startswith(self.container_name)

    @property
    def service_id(self) -> str:
        """A stable id of the service."""
        return f"service:{self.service}"


def program(process: Process) -> str:
    """What a person calls the program: `nginx`, or `shop` for `python3 -u /srv/shop.py`."""
    argv = process.argv
    executable = PurePosixPath(process.exe or (argv[0] if argv else "")).name
    if process.exe.startswith("/memfd:"):
        executable = process.comm
    # A title that the process wrote over its arguments ("nginx: worker process") names the program before ":".
    if argv and ": " in argv[0] and not argv[0].startswith("/"):
        executable = executable or argv[0].partition(":")[0]
    executable = executable or process.comm
    if not _INTERPRETERS.match(executable):
        return executable
    return _script(argv[1:]) or executable


def _script(arguments: tuple[str, ...]) -> str:
    rest = iter(arguments)
    for argument in rest:
        if argument in ("-m", "-jar", "--module"):
            return _stem(next(rest, ""))
        if argument in ("-c", "-e", "--eval", "-"):
            return ""
        if argument in _WITH_VALUE:
            next(rest, None)
        elif not argument.startswith("-"):
            return _stem(argument)
    return ""


def _stem(path: str) -> str:
    if path.startswith(("/dev/", "/proc/")):
        return ""
    name = PurePosixPath(path).name
    stem = re.sub(r"\.(?:py|pyc|js|mjs|cjs|ts|rb|pl|php|lua|sh|jar|war|dll|exe|R)$", "", name)
    if stem in ("__main__", "main", "index", "app", "server", "manage"):
        parent = PurePosixPath(path).parent.name
        return parent or stem
    # A Java class is known by its last part.
    return stem.rpartition(".")[2] if re.fullmatch(r"[\w$]+(?:\.[\w$]+)+", stem) else stem


def _unescape(unit: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), unit)


def workload_of(process: Process, engines: Engines) -> Workload:
    """The workload of a process. Never fails: what nothing is known of belongs to `host`."""
    if named := container_in(process.cgroups):
        return _in_container(process, engines.container(*named))
    for path in process.cgroups:
        if match := _UNIT.search(path):
            return _in_unit(path, _unescape(match["unit"]))
    name = program(process)
    return Workload("host", f"host:{name}", f"host/{name}", f"host/{name}")


def _in_container(process: Process, container: Container) -> Workload:
    return Workload(
        namespace=container.engine,
        pod_id=f"{container.engine}:{container.id}",
        pod=f"{container.engine}/{container.name}",
        service=f"{container.engine}/{container.service or program(process)}",
        container_id=container.id,
        container_name=container.name,
    )


def _in_unit(path: str, unit: str) -> Workload:
    slices = _SLICE.findall(path)
    namespace = _unescape(slices[-1]).removesuffix(".slice") if slices else "system"
    service = unit.removesuffix(".service")
    if "@" in service:
        service = service.partition("@")[0]
    return Workload(namespace, f"unit:{namespace}/{unit}", f"{namespace}/{unit}", f"{namespace}/{service}")
