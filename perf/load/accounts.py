"""Accounts and rooms for a load test: seeded ones from files, or new ones by REST.

`rookery admin seed` makes many at once, and is meant for load tests: a server takes 120 registrations of one address in
a minute, and each costs a password hash.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
import uuid
from base64 import urlsafe_b64decode
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

_PATIENCE_S = 600.0
_CALLS = 50
"""Calls of REST at once, of one process."""


@dataclass(frozen=True)
class Account:
    """Who a user of the test is."""

    id: str
    token: str


class Accounts:
    """Hands an account to each user, and knows the rooms. One of each process; process K of N takes each Nth token."""

    def __init__(self, base: str, *, tokens: Path | None, rooms: Path | None, worker: int, workers: int) -> None:
        self._base = base.rstrip("/")
        self._http = requests.Session()
        for scheme in ("http://", "https://"):
            self._http.mount(scheme, HTTPAdapter(pool_maxsize=_CALLS, pool_block=True))
        self._lock = threading.Lock()  # gevent's, after its patches
        self._seeded = tokens is not None
        self._free = deque(map(_account_of, _read_lines(tokens)[worker::workers])) if tokens else deque()
        self._rooms = _read_lines(rooms) if rooms else []
        self._numbers = itertools.count()
        self._run = uuid.uuid4().hex[:8]
        self.known = [account.id for account in self._free]

    def ws_url(self) -> str:
        """The address of the WebSocket. Raises `OSError` or `ValueError` when the server does not say it."""
        answer = self._http.get(f"{self._base}/api/config", timeout=30)
        answer.raise_for_status()
        return str(answer.json()["ws_url"])

    def take(self) -> Account:
        """An account that no other user of this process has. Raises `LookupError` when the seeded ones are used up."""
        with self._lock:
            if not self._free and self._seeded:
                raise LookupError("this process has fewer tokens than users; seed more users")
            return self._free.popleft() if self._free else self._register()

    def give_back(self, account: Account) -> None:
        """The user has gone: another one may take the account."""
        self._free.append(account)

    def rooms(self, account: Account, count: int) -> list[str]:
        """Rooms to follow: the seeded ones where this user is a member, or public ones of the test, joined."""
        if self._rooms:
            mine = self._get("/api/rooms", account)
            seeded = set(self._rooms)
            found = [room["id"] for room in mine["rooms"] if room["id"] in seeded]
            if found:
                return found[:count]
        with self._lock:
            if not self._rooms:
                names = [f"load-{self._run}-{number}" for number in range(max(1, count))]
                self._rooms = [self._post("/api/rooms", {"name": name}, account)["id"] for name in names]
        for room in self._rooms[:count]:
            self._post(f"/api/rooms/{room}/join", None, account)
        return self._rooms[:count]

    def _register(self) -> Account:
        name = f"load-{self._run}-{next(self._numbers)}-{os.getpid()}"
        made = self._post("/api/auth/register", {"name": name, "password": f"load {uuid.uuid4()}"}, None)
        self.known.append(made["id"])
        return Account(made["id"], made["access_token"])

    def _get(self, path: str, account: Account) -> Any:
        return self._call("GET", path, None, account)

    def _post(self, path: str, body: dict[str, str] | None, account: Account | None) -> Any:
        return self._call("POST", path, body, account)

    def _call(self, method: str, path: str, body: dict[str, str] | None, account: Account | None) -> Any:
        """Call REST, and wait where it says so. Raises `requests.HTTPError` for another refusal."""
        headers = {"Authorization": f"Bearer {account.token}"} if account else {}
        until = time.monotonic() + _PATIENCE_S
        while True:
            answer = self._http.request(method, self._base + path, json=body, headers=headers, timeout=60)
            if answer.status_code not in (429, 503) or time.monotonic() > until:
                answer.raise_for_status()
                return answer.json() if answer.content else None
            time.sleep(float(answer.headers.get("Retry-After", 1)))


def _account_of(token: str) -> Account:
    claims = token.split(".")[1]
    return Account(json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"], token)


def _read_lines(path: Path) -> list[str]:
    return list(_lines(path))


def _lines(path: Path) -> Iterator[str]:
    with path.open() as file:
        yield from (line.strip() for line in file if line.strip())
