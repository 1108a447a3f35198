"""Generates src/sylph/api/pb from proto/. With --check, changes nothing and fails when the result would differ."""

import argparse
import importlib.resources
import os
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
PACKAGE = Path("sylph/api/pb")


def generate(out: Path) -> None:
    # protoc looks for protoc-gen-mypy beside the interpreter, which need not be on the path.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    files = sorted(str(path.relative_to(PROTO)) for path in (PROTO / PACKAGE).glob("*.proto"))
    bundled = str(importlib.resources.files("grpc_tools") / "_proto")
    status = protoc.main(
        ["protoc", f"-I{PROTO}", f"-I{bundled}", f"--python_out={out}", f"--mypy_out=quiet:{out}", *files]
    )
    if status != 0:
        raise SystemExit(status)
    (out / PACKAGE / "__init__.py").write_text('"""Generated from proto/ by scripts/gen_proto.py; do not edit."""\n')


def stale(generated: Path, committed: Path) -> list[str]:
    names = {path.name for folder in (generated, committed) for path in folder.glob("*.py*") if path.is_file()}
    return sorted(
        name
        for name in names
        if not (generated / name).exists()
        or not (committed / name).exists()
        or (generated / name).read_bytes() != (committed / name).read_bytes()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when the committed files are not what proto/ gives")
    if not parser.parse_args().check:
        generate(ROOT / "src")
        return
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        if names := stale(Path(folder) / PACKAGE, ROOT / "src" / PACKAGE):
            raise SystemExit(f"{PACKAGE}: {', '.join(names)} out of date: run scripts/gen_proto.py")


if __name__ == "__main__":
    main()
