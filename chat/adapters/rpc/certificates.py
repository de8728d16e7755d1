"""TLS files that may change while the process runs.

Rule 1: a new connection uses the files as they are now; old connections live on.
Rule 2: files that do not fit together (as while they are being replaced) change nothing; the log says so.
"""

from __future__ import annotations

import logging
import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from chat.settings import RpcSettings, SettingsError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TlsFiles:
    """The three files as they were read together, in PEM, and contexts of them for either side."""

    certificate: bytes
    key: bytes
    authority: bytes
    server: ssl.SSLContext
    client: ssl.SSLContext


class Certificates:
    """Reads the files, and reads them again when their stamps change. Raises `SettingsError` at the start."""

    def __init__(self, certificate: Path, key: Path, authority: Path) -> None:
        self._files = (certificate, key, authority)
        try:
            self._stamp = self._read_stamps()
            self._loaded = self._load_files()
        except (OSError, ssl.SSLError) as error:
            names = ", ".join(map(str, self._files))
            raise SettingsError(f"the TLS files {names} cannot be used: {error.strerror or error}") from None

    @classmethod
    def from_settings(cls, settings: RpcSettings) -> Certificates | None:
        """Those that the settings name, or None without TLS."""
        if settings.tls_cert is None or settings.tls_key is None or settings.tls_ca is None:
            return None
        return cls(settings.tls_cert, settings.tls_key, settings.tls_ca)

    def current_files(self) -> TlsFiles:
        """As of now (rule 1); the same object until something changed."""
        try:
            stamp = self._read_stamps()
            if stamp != self._stamp:
                self._loaded = self._load_files()
                self._stamp = stamp
                logger.info("the TLS files have changed, and were read again")
        except (OSError, ssl.SSLError) as error:  # rule 2
            logger.warning(
                "the TLS files have changed and cannot be used (%s); the old ones stay", type(error).__name__
            )
        return self._loaded

    def _read_stamps(self) -> tuple[tuple[int, int, int], ...]:
        found = (os.stat(path) for path in self._files)
        return tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in found)

    def _load_files(self) -> TlsFiles:
        certificate, key, authority = (path.read_bytes() for path in self._files)
        contexts = (self._make_context(ssl.Purpose.CLIENT_AUTH), self._make_context(ssl.Purpose.SERVER_AUTH))
        return TlsFiles(certificate, key, authority, *contexts)

    def _make_context(self, purpose: ssl.Purpose) -> ssl.SSLContext:
        certificate, key, authority = self._files
        context = ssl.create_default_context(purpose, cafile=str(authority))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(certificate, key)
        context.set_alpn_protocols(["h2"])
        return context
