"""The keys by which push services know this server, and what it signs with them (VAPID, RFC 8292).

Rule 1: a subscription belongs to the key that the browser was given. So an older key signs for the subscriptions that
  were made with it, until their pages have subscribed anew.
Rule 2: a private key stands in the operator's settings, or in a file that only the server's user may read.
"""

from __future__ import annotations

import base64
import contextlib
import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chat.settings import SettingsError

TOKEN_SECONDS = 12 * 3600
"""RFC 8292, section 2: 24 hours at most, and clocks differ."""
_RENEWED_BEFORE_MS = 6 * 3600 * 1000
_REMEMBERED = 1000
KEYS_FILE = "vapid.keys"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class VapidKey:
    """A pair of keys. `public` is the point in base64url, as browsers take it; `text` the private key."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self.private = private
        point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public = _encode_key(point)
        self.text = _encode_key(private.private_numbers().private_value.to_bytes(32, "big"))

    def __repr__(self) -> str:
        return f"VapidKey({self.public!r})"  # never the private one


def generate_key() -> VapidKey:
    """A new pair."""
    return VapidKey(ec.generate_private_key(ec.SECP256R1()))


def read_keys(texts: Sequence[str], source: str) -> list[VapidKey]:
    """The keys of these texts. Raises `SettingsError`, which names the `source` and no key."""
    keys: list[VapidKey] = []
    for text in texts:
        try:
            number = int.from_bytes(base64.b64decode(text + "=", altchars=b"-_", validate=True), "big")
        except ValueError:
            number = 0
        if len(text) != 43 or not 0 < number < _ORDER:
            raise SettingsError(f"{source}: one of the keys cannot be used; make another with `rookery vapid generate`")
        keys.append(VapidKey(ec.derive_private_key(number, ec.SECP256R1())))
    return keys


def load_keys(folder: Path) -> list[VapidKey]:
    """The keys in the file of a data folder, the newest first; one is made if the file is missing (rule 2).

    Raises `SettingsError` if that cannot be, or if other users can read the file.
    """
    path = folder / KEYS_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_keys(path, [generate_key()], replace=False)
        with path.open() as file:
            status = os.fstat(file.fileno())
            texts = file.read().split()
    except OSError as error:
        raise SettingsError(f"{path}: the keys of push cannot be kept there: {error.strerror}") from None
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise SettingsError(f"{path}: other users can read the keys of push; run chmod 600 {path}")
    if not texts:
        raise SettingsError(f"{path}: there is no key in it; remove the file, and start again")
    return read_keys(texts, str(path))


def add_key(folder: Path, key: VapidKey) -> None:
    """Put a key before the others in the file of a data folder. Raises `SettingsError`."""
    older = load_keys(folder) if (folder / KEYS_FILE).exists() else []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_keys(folder / KEYS_FILE, [key, *older], replace=True)
    except OSError as error:
        raise SettingsError(f"{folder}: the keys of push cannot be kept there: {error.strerror}") from None


def _write_keys(path: Path, keys: Sequence[VapidKey], *, replace: bool) -> None:
    handle, made = tempfile.mkstemp(dir=path.parent)  # which only this user may read
    try:
        with os.fdopen(handle, "w") as file:
            file.writelines(f"{key.text}\n" for key in keys)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            Path(made).replace(path)
        else:
            with contextlib.suppress(FileExistsError):  # another process was faster: its key holds
                os.link(made, path)
    finally:
        Path(made).unlink(missing_ok=True)


class VapidSigner:
    """Signs for each push service, a token for half a day. `contact` is a `mailto:` or https URL."""

    def __init__(self, keys: Sequence[VapidKey], contact: str) -> None:
        self._keys = {key.public: key for key in keys}
        self._contact = contact
        self._tokens: dict[tuple[str, str], tuple[int, str]] = {}

    def sign_request(self, public: str, endpoint: str, now: int) -> str | None:
        """The `Authorization` of a push; None without the key of the subscription (rule 1). `now` in milliseconds."""
        key = self._keys.get(public)
        if key is None:
            return None
        parts = urlsplit(endpoint)
        audience = f"{parts.scheme}://{parts.netloc}"
        made, header = self._tokens.get((public, audience), (0, ""))
        if not header or not 0 <= now - made < _RENEWED_BEFORE_MS:
            header = f"vapid t={self._make_token(key, audience, now)},k={public}"
            if len(self._tokens) >= _REMEMBERED:
                self._tokens.clear()
            self._tokens[public, audience] = now, header
        return header

    def _make_token(self, key: VapidKey, audience: str, now: int) -> str:
        claims = {"aud": audience, "exp": now // 1000 + TOKEN_SECONDS, "sub": self._contact}
        return jwt.encode(claims, key.private, algorithm="ES256")


def _encode_key(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
