"""Names and labels that container engines keep on disk for the containers they run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: How a cgroup path names a container, by engine. The id is 64 hexadecimal digits everywhere.
_ID = r"(?P<id>[0-9a-f]{64})"
_PATTERNS = tuple(
    (engine, re.compile(pattern))
    for engine, pattern in (
        ("podman", rf"libpod-{_ID}"),
        ("containerd", rf"cri-containerd[-:]{_ID}"),
        ("crio", rf"crio-{_ID}"),
        ("docker", rf"docker[-/]{_ID}"),
        ("containerd", rf"/(?:default|moby|k8s\.io)/{_ID}$"),
        ("container", rf"(?:^|[/-]){_ID}(?:\.scope)?(?:/|$)"),
    )
)

_COMPOSE_SERVICE = ("com.docker.compose.service", "io.podman.compose.service")
_STATE_LIMIT = 16 << 20


@dataclass(frozen=True, slots=True)
class Container:
    """A container: its engine, id, and the name and labels its engine knows it by."""

    engine: str
    id: str
    name: str
    labels: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def service(self) -> str:
        """Its compose service; empty when it has none."""
        return next((self.labels[key] for key in _COMPOSE_SERVICE if key in self.labels), "")


def container_in(cgroups: tuple[str, ...]) -> tuple[str, str] | None:
    """(engine, container id) named by a process's cgroup paths; None when it runs in no container."""
    for path in cgroups:
        for engine, pattern in _PATTERNS:
            if match := pattern.search(path):
                return engine, match["id"]
    return None


def _json(path: Path) -> object:
    try:
        if path.stat().st_size > _STATE_LIMIT:
            return None
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _labels(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(key): label for key, label in value.items() if isinstance(label, str)}


class Engines:
    """Looks containers up in the state files of podman and docker; remembers what it found.

    `root` is the directory that holds the host's file system ("/" or, in a container, where it is mounted).
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._known: dict[str, Container] = {}

    def container(self, engine: str, container_id: str) -> Container:
        """The container; named by the first twelve digits of its id when no engine knows it."""
        known = self._known.get(container_id)
        if known is not None:
            return known
        found = next((c for c in self._candidates(engine, container_id) if c is not None), None)
        if found is None:
            return Container(engine, container_id, container_id[:12])
        self._known[container_id] = found
        return found

    def forget(self, alive: set[str]) -> None:
        """Drop all but the containers whose ids are in `alive`."""
        self._known = {key: value for key, value in self._known.items() if key in alive}

    def _candidates(self, engine: str, container_id: str) -> Iterator[Container | None]:
        yield self._docker(container_id)
        storage = self._root / "var/lib/containers/storage"
        for state in sorted(storage.glob("*-containers/containers.json")):
            yield self._podman(engine, state, container_id)

    def _docker(self, container_id: str) -> Container | None:
        config = _json(self._root / "var/lib/docker/containers" / container_id / "config.v2.json")
        if not isinstance(config, dict) or not isinstance(config.get("Name"), str):
            return None
        settings = config.get("Config")
        labels = _labels(settings.get("Labels")) if isinstance(settings, dict) else {}
        return Container("docker", container_id, config["Name"].lstrip("/"), labels)

    def _podman(self, engine: str, state: Path, container_id: str) -> Container | None:
        containers = _json(state)
        if not isinstance(containers, list):
            return None
        for entry in containers:
            if not isinstance(entry, dict) or entry.get("id") != container_id:
                continue
            names = entry.get("names")
            if not isinstance(names, list) or not names:
                return None
            spec = _json(state.parent / container_id / "userdata/config.json")
            labels = _labels(spec.get("annotations")) if isinstance(spec, dict) else {}
            return Container("podman" if engine == "container" else engine, container_id, str(names[0]), labels)
        return None
