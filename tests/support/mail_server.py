"""Mail servers on loopback: one that takes mails or refuses them as told, and one that misbehaves."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.certificates import CertificateAuthority

USER, PASSWORD = "ada@chat.example", "p/ss:#%"


class Received:
    """A mail as the server got it."""

    def __init__(self, envelope: Envelope, *, secure: bool) -> None:
        self.sender = envelope.mail_from or ""
        self.recipients = list(envelope.rcpt_tos)
        self.raw: bytes = envelope.content if isinstance(envelope.content, bytes) else b""
        self.secure = secure

    @property
    def message(self) -> EmailMessage:
        """The message, parsed as a mail program does."""
        found = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    def text(self, kind: str = "plain") -> str:
        """The part of this kind: `plain` or `html`."""
        part = self.message.get_body((kind,))
        assert part is not None
        return str(part.get_content())


class MailServer:
    """`replies` are given to RCPT in turn, then 250; `data_replies` to DATA. Everything runs on a thread of its own."""

    def __init__(
        self, *, certificates: tuple[Path, Path, Path] | None = None, implicit_tls: bool = False, port: int = 0
    ) -> None:
        self.received: list[Received] = []
        self.replies: list[str] = []
        self.refused: list[str] = []
        self.data_replies: list[str] = []
        self.connections = 0
        self.log_ins: list[bytes] = []
        self.port = port
        self._arrived = threading.Condition()
        self._context: ssl.SSLContext | None = None
        if certificates is not None:
            self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._context.load_cert_chain(certificates[0], certificates[1])
        self._implicit_tls = implicit_tls
        self._loop = asyncio.new_event_loop()

    @contextmanager
    def running(self) -> Iterator[MailServer]:
        """Listen for as long as the context lasts."""
        ready = threading.Event()
        thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        thread.start()
        assert ready.wait(30)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(30)

    def wait_for(self, count: int, seconds: float = 60) -> list[Received]:
        """The mails, once there are so many."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.received) >= count, seconds), [
                each.message["Subject"] for each in self.received
            ]
        return self.received

    def wait_refused(self, count: int, seconds: float = 60) -> None:
        """Return once so many recipients were refused."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.refused) >= count, seconds), self.refused

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        context = self._context if self._implicit_tls else None
        server = self._loop.run_until_complete(
            self._loop.create_server(self._make_protocol, "127.0.0.1", self.port, ssl=context)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._loop.call_soon(ready.set)
        self._loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _make_protocol(self) -> SMTP:
        self.connections += 1
        starttls = self._context if not self._implicit_tls else None
        return SMTP(
            self,
            tls_context=starttls,
            enable_SMTPUTF8=True,
            authenticator=self._authenticate,
            auth_require_tls=starttls is not None,
            loop=self._loop,
        )

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.log_ins.append(data.password)
        right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=right)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """The next reply; a recipient who is refused is not in the envelope."""
        reply = self.replies.pop(0) if self.replies else "250 OK"
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        else:
            with self._arrived:
                self.refused.append(address)
                self._arrived.notify_all()
        return reply

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail, unless it is refused."""
        reply = self.data_replies.pop(0) if self.data_replies else "250 OK"
        if reply.startswith("2"):
            secure = server.transport is not None and server.transport.get_extra_info("sslcontext") is not None
            with self._arrived:
                self.received.append(Received(envelope, secure=secure))
                self._arrived.notify_all()
        return reply


def make_certificates(folder: Path, common: str = "localhost") -> tuple[Path, Path, Path]:
    """Certificate, key and authority for 127.0.0.1."""
    return CertificateAuthority().write(folder, common)


@contextmanager
def misbehaving_server(*replies: bytes, hangs: bool = False) -> Iterator[int]:
    """A port where each connection gets these replies, the first as a greeting and one for each line, and is closed
    then. With `hangs`, and without replies, it is not closed, and not answered any more."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            lines = connection.makefile("rb")
            for reply in replies:
                connection.sendall(reply)
                lines.readline()
            if hangs or not replies:
                ended.wait(60)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ended.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
