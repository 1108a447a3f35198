"""Whether this kernel and this user can capture, and in which ways."""

from __future__ import annotations

import mmap
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BTF = Path("/sys/kernel/btf/vmlinux")
#: Ring buffers and tp_btf programs both came by then.
OLDEST_KERNEL = (5, 8)
#: Tracepoints of both ways: processes and connections.
COMMON = ("sched_process_exec", "sched_process_exit", "inet_sock_set_state", "tcp_destroy_sock")
#: Tracepoints without which a way cannot work. BTF names the type of each `btf_trace_<name>`.
WAYS = {
    "tcp": ("tcp_sendmsg_locked", "skb_copy_datagram_iovec", *COMMON),
    "syscall": ("sys_exit", *COMMON),
}
_CAPABILITIES = {"CAP_SYS_ADMIN": 21, "CAP_PERFMON": 38, "CAP_BPF": 39}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `ok` None: it only informs. `advice` says what to do."""

    what: str
    ok: bool | None
    text: str
    advice: str = ""


def findings() -> Iterator[Finding]:
    """All about this host, the most basic first."""
    yield kernel()
    yield btf()
    yield from ways()
    right = rights()
    yield right
    if right.ok:
        yield from programs()
    yield memory_lock()


def kernel() -> Finding:
    """Version and machine."""
    release = platform.release()
    numbers = release.split("-", 1)[0].split(".")
    version = tuple(int(number) for number in numbers[:2] if number.isdecimal())
    text = f"Linux {release} on {platform.machine()}"
    if len(version) == 2 and version < OLDEST_KERNEL:
        return Finding("kernel", False, text, f"Linux {'.'.join(map(str, OLDEST_KERNEL))} or newer is needed")
    return Finding("kernel", True, text)


def btf() -> Finding:
    """The kernel's own type information, which programs are fitted to."""
    if BTF.exists():
        return Finding("BTF", True, str(BTF))
    return Finding("BTF", False, f"no {BTF}", "use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as distributions do")


def ways() -> Iterator[Finding]:
    """The ways to see bytes; one is enough."""
    lacks: dict[str, list[str]] = {}
    try:
        with BTF.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as types:
            for way, points in WAYS.items():
                lacks[way] = [point for point in points if types.find(b"\0btf_trace_%s\0" % point.encode()) < 0]
    except (OSError, ValueError):
        # sysfs files of some kernels cannot be mapped.
        try:
            raw = BTF.read_bytes()
        except OSError:
            return
        for way, points in WAYS.items():
            lacks[way] = [point for point in points if raw.find(b"\0btf_trace_%s\0" % point.encode()) < 0]
    working = [way for way, missing in lacks.items() if not missing]
    for way, missing in lacks.items():
        if not missing:
            yield Finding(f"way {way}", True, "its tracepoints are here")
        else:
            yield Finding(
                f"way {way}",
                None if working else False,
                f"this kernel lacks the tracepoint {', '.join(missing)}",
                f"--method auto takes {working[0]}" if working else "use a newer kernel",
            )


def rights() -> Finding:
    """Whether this user may load programs."""
    effective = 0
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("CapEff:"):
            effective = int(line.split()[1], 16)
    held = [name for name, bit in _CAPABILITIES.items() if effective >> bit & 1]
    if "CAP_SYS_ADMIN" in held or {"CAP_BPF", "CAP_PERFMON"} <= set(held):
        return Finding("rights", True, f"uid {os.geteuid()} with {', '.join(held)}")
    return Finding(
        "rights", False, f"uid {os.geteuid()} may not load programs", "start the agent as root: sudo px up -d"
    )


def programs() -> Iterator[Finding]:
    """Whether the kernel takes the programs themselves: each is loaded, none is attached."""
    from sylph import _native

    report = _native.probe()
    refused = [program for program in report["programs"] if program["refused"]]
    count = len(report["programs"])
    chosen = report["chosen"]
    yield Finding(
        "programs",
        chosen is not None,
        f"{count - len(refused)} of {count} load" + (f"; the agent takes the {chosen} way" if chosen else ""),
        "; ".join(report["advice"]),
    )
    for program in refused:
        yield Finding(program["name"], None if chosen else False, f"{program['section']} refused: {program['refused']}")


def memory_lock() -> Finding:
    """Memory that programs may lock; kernels from 5.11 count it by cgroup instead."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    text = "unlimited" if soft == resource.RLIM_INFINITY else f"{soft >> 20} MiB"
    return Finding("memlock", None, text)
