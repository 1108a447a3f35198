"""The server's certificate: given by the user, or a self-signed one made with the openssl command."""

from __future__ import annotations

import ipaddress
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

VALID_DAYS = 825


class CertificateError(Exception):
    """A certificate that cannot be read or made, and what to do about it."""


def read_pair(certificate: Path, key: Path) -> tuple[bytes, bytes]:
    """PEM texts of a certificate chain and its private key. Raises CertificateError."""
    try:
        pair = certificate.read_bytes(), key.read_bytes()
    except OSError as error:
        raise CertificateError(f"cannot read the certificate: {error}") from error
    for path, text in zip((certificate, key), pair, strict=True):
        if b"-----BEGIN" not in text:
            raise CertificateError(f"{path}: not a PEM file")
    return pair


def self_signed(folder: Path, host: str) -> tuple[Path, Path]:
    """Paths of `folder`'s certificate and key, made on first use for localhost, this host's name and `host`.

    Raises CertificateError when there is no openssl command.
    """
    certificate, key = folder / "server.crt", folder / "server.key"
    if certificate.exists() and key.exists():
        return certificate, key
    openssl = shutil.which("openssl")
    if openssl is None:
        raise CertificateError(
            "TLS needs a certificate: give --tls-cert and --tls-key, or install openssl to have one made"
        )
    names = ["DNS:localhost", f"DNS:{socket.gethostname()}", "IP:127.0.0.1", "IP:::1"]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        names.append(f"DNS:{host}")
    else:
        if not address.is_unspecified:
            names.append(f"IP:{address}")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Both files appear together: a half-made pair would be taken for a whole one at the next start.
    with tempfile.TemporaryDirectory(dir=folder) as made:
        command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256"]
        command += ["-days", str(VALID_DAYS), "-subj", "/CN=sylph", "-addext", f"subjectAltName={','.join(names)}"]
        command += ["-keyout", f"{made}/key", "-out", f"{made}/crt"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if result.returncode != 0:
            raise CertificateError(f"openssl could not make a certificate: {result.stderr.strip()[-300:]}")
        Path(made, "key").chmod(0o600)
        Path(made, "key").replace(key)
        Path(made, "crt").replace(certificate)
    return certificate, key
