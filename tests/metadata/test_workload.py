"""Host mode: names of programs, units and containers."""

from pathlib import Path

import pytest

from sylph.metadata.engines import Engines
from sylph.metadata.process import Process
from sylph.metadata.workload import program, workload_of

ID = "4f5c0e" + "0123456789abcdef" * 3 + "0123456789"


def process(*argv: str, exe: str = "", comm: str = "comm", cgroups: tuple[str, ...] = ()) -> Process:
    return Process(7, 70, 1, comm, 0, argv=argv, exe=exe, cgroups=cgroups)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (process("/usr/sbin/nginx", exe="/usr/sbin/nginx"), "nginx"),
        (process("nginx: worker process", exe="/usr/sbin/nginx"), "nginx"),
        (process("nginx: worker process"), "nginx: worker process"),
        (process("python3", "-u", "/srv/shop.py", exe="/usr/bin/python3.11"), "shop"),
        (process("python3", "-W", "error", "/srv/cart/app.py", exe="/usr/bin/python3.11"), "cart"),
        (process("python3", "-m", "http.server", "80", exe="/usr/bin/python3.11"), "server"),
        (process("python3", "-c", "print(1)", exe="/usr/bin/python3.11"), "python3.11"),
        (process("node", "--require", "x.js", "/srv/pay/index.js", exe="/usr/bin/node"), "pay"),
        (process("java", "-cp", "a.jar:b.jar", "com.shop.Orders", exe="/usr/lib/jvm/bin/java"), "Orders"),
        (process("java", "-Xmx1g", "-jar", "/opt/orders.jar", exe="/usr/lib/jvm/bin/java"), "orders"),
        (process("bash", "/dev/fd/3", exe="/bin/bash"), "bash"),
        (process("x", exe="/memfd:sealed", comm="backend"), "backend"),
        (process(comm="gone"), "gone"),
    ],
)
def test_program(given: Process, name: str) -> None:
    assert program(given) == name


@pytest.mark.parametrize(
    ("cgroup", "namespace", "pod", "service"),
    [
        ("/system.slice/nginx.service", "system", "system/nginx.service", "system/nginx"),
        (
            "/system.slice/system-getty.slice/getty@tty1.service",
            "system-getty",
            "system-getty/getty@tty1.service",
            "system-getty/getty",
        ),
        ("/user.slice/user-0.slice/session-3.scope", "user-0", "user-0/session-3.scope", "user-0/session-3.scope"),
        (r"/system.slice/a\x2db.service", "system", "system/a-b.service", "system/a-b"),
        ("/odd/place", "host", "host/nginx", "host/nginx"),
    ],
)
def test_units(cgroup: str, namespace: str, pod: str, service: str) -> None:
    workload = workload_of(process("nginx", exe="/usr/sbin/nginx", cgroups=(cgroup,)), Engines())
    assert (workload.namespace, workload.pod, workload.service) == (namespace, pod, service)


@pytest.mark.parametrize(
    ("cgroup", "engine"),
    [
        (f"/machine.slice/libpod-{ID}.scope", "podman"),
        (f"/libpod_parent/libpod-{ID}", "podman"),
        (f"/system.slice/docker-{ID}.scope", "docker"),
        (f"/docker/{ID}", "docker"),
        (f"/kubepods.slice/kubepods-burstable.slice/cri-containerd-{ID}.scope", "containerd"),
        (f"/default/{ID}", "containerd"),
        (f"/crio-{ID}.scope", "crio"),
    ],
)
def test_containers_without_a_name(tmp_path: Path, cgroup: str, engine: str) -> None:
    workload = workload_of(process("nginx", exe="/usr/sbin/nginx", cgroups=(cgroup,)), Engines(tmp_path))
    assert workload.namespace == engine
    assert workload.pod == f"{engine}/{ID[:12]}"
    assert workload.service == f"{engine}/nginx"
    assert workload.container_id == ID


def test_docker_names_and_compose_service(tmp_path: Path) -> None:
    home = tmp_path / "var/lib/docker/containers" / ID
    home.mkdir(parents=True)
    (home / "config.v2.json").write_text(
        '{"Name": "/shop-web-1", "Config": {"Labels": {"com.docker.compose.service": "web"}}}'
    )
    workload = workload_of(process("nginx", cgroups=(f"/docker/{ID}",)), Engines(tmp_path))
    assert (workload.pod, workload.service) == ("docker/shop-web-1", "docker/web")


@pytest.mark.parametrize("state", ["", "[", "[1]", '{"a": 1}', f'[{{"id": "{ID}", "names": 3}}]'])
def test_broken_engine_state_is_no_name(tmp_path: Path, state: str) -> None:
    home = tmp_path / "var/lib/containers/storage/vfs-containers"
    home.mkdir(parents=True)
    (home / "containers.json").write_text(state)
    workload = workload_of(process("nginx", cgroups=(f"/libpod-{ID}",)), Engines(tmp_path))
    assert workload.pod == f"podman/{ID[:12]}"
