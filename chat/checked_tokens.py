"""Tokens whose signature was found right, or was made here: who comes back with the same token is spared the check.

To check a signature takes a hundred times as long as a digest, and clients send the same token again and again: in
`auth`, with each request, and all at once after a restart of what is in front of them.

Rule 1: only the very token hits: what is kept is a digest of all of it, its signature included.
Rule 2: nothing but the signature is taken as known. Whether the token is over, its key is still in use, and its log-in
  goes on is asked each time.
Rule 3: no token could be stolen from here, and none can be made to hit: the digest is keyed by a secret of the process.
Rule 4: it is bounded. Tokens that were not seen for a while go first.
"""

from __future__ import annotations

import hashlib
import secrets

MOST = 32_768
_DIGEST_BYTES = 15  # as an object of Python they take 48 bytes, and 16 would take 64


class CheckedTokens:
    """Two sets of at most `most` digests: what is seen goes into the newer one, which replaces the older one when it is
    full. A digest takes a quarter of what an entry with its claims would."""

    __slots__ = ("_most", "_newer", "_older", "_secret")

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._secret = secrets.token_bytes(32)
        self._newer: set[bytes] = set()
        self._older: set[bytes] = set()

    def __len__(self) -> int:
        """How many digests are kept."""
        return len(self._newer) + len(self._older)

    def has_token(self, token: str) -> bool:
        """Whether the signature of this very token is right, as far as it is known here."""
        digest = self._digest_of(token)
        if digest in self._newer:
            return True
        if digest not in self._older:
            return False
        self._older.discard(digest)
        self._keep(digest)
        return True

    def add_token(self, token: str) -> None:
        """The signature of this token is right."""
        self._keep(self._digest_of(token))

    def clear(self) -> None:
        """Forget all: other keys count from now on."""
        self._newer.clear()
        self._older.clear()

    def _digest_of(self, token: str) -> bytes:
        return hashlib.blake2b(token.encode(), digest_size=_DIGEST_BYTES, key=self._secret).digest()

    def _keep(self, digest: bytes) -> None:
        if len(self._newer) >= self._most:
            self._older, self._newer = self._newer, set()
        self._newer.add(digest)
