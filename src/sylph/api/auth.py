"""Who may ask over TCP: keys in a file that only its owner can read."""

from __future__ import annotations

import hashlib
import hmac
import stat
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import grpc

#: Metadata in which clients send a key; `authorization: bearer <key>` is taken too.
KEY_HEADERS = ("pixie-api-key", "x-direct-vizier-key")


class KeyFileError(Exception):
    """A file of keys that cannot be used, and what to do about it."""


def read_keys(path: Path) -> tuple[str, ...]:
    """Keys of a file: one a line, `#` begins a comment. Raises KeyFileError when others may read it or it is empty."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path}: cannot read the keys: {error}") from error
    if mode & 0o077:
        raise KeyFileError(f"{path}: others can read the keys (mode {mode:04o}): chmod 600 {path}")
    keys = tuple(line for raw in text.splitlines() if (line := raw.split("#", 1)[0].strip()))
    if not keys:
        raise KeyFileError(f"{path}: no key in it: write one a line")
    return keys


def make_keys(path: Path) -> str:
    """Writes a new file (0600) with one new key and returns the key. Raises FileExistsError."""
    key = f"px-api-{uuid.uuid4()}"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(f"{key}\n", encoding="utf-8")
    return key


class Keys:
    """A set of keys; comparing takes the same time for any wrong key."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests = [hashlib.sha256(key.encode()).digest() for key in keys]

    def __contains__(self, key: object) -> bool:
        digest = hashlib.sha256(str(key).encode(errors="surrogateescape")).digest()
        found = False
        for known in self._digests:
            found |= hmac.compare_digest(known, digest)
        return found


def key_of(metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
    """The key in a call's metadata, or None."""
    for name, value in metadata:
        text = value.decode(errors="replace") if isinstance(value, bytes) else value
        if name in KEY_HEADERS:
            return text
        if name == "authorization":
            scheme, _, credentials = text.partition(" ")
            if scheme.lower() == "bearer":
                return credentials.strip()
    return None


class RequireKey(grpc.ServerInterceptor):  # type: ignore[misc]
    """Ends every call without a known key with UNAUTHENTICATED, before anything of it is read."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = Keys(keys)

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        """Passes a call with a known key on."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        key = key_of(handler_call_details.invocation_metadata)
        if key is not None and key in self._keys:
            return handler
        return _refuse(handler, "this key is not known here" if key else "send a key as metadata pixie-api-key")


def _refuse(handler: Any, message: str) -> Any:
    """A handler of the same kind as `handler` that refuses."""

    def refuse(_request: object, context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, message)

    make = grpc.unary_stream_rpc_method_handler if handler.response_streaming else grpc.unary_unary_rpc_method_handler
    return make(refuse)
