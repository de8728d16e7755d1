"""Mutual TLS: who is let in, and certificates that change while all run."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.streams.tls import TLSAttribute, TLSStream

from chat.adapters.rpc.certificates import Certificates
from chat.errors import Forbidden, Unavailable
from chat.settings import Address, Binding, RpcSettings, SettingsError
from tests.support.certificates import CertificateAuthority
from tests.support.patience import patient
from tests.support.rpc import INFO, connected, serving

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def authority() -> CertificateAuthority:
    return CertificateAuthority()


def settings_of(authority: CertificateAuthority, binding: Binding, folder: Path, name: str, **more: Any) -> RpcSettings:
    certificate, key, trusted = authority.write(folder / name, name)
    return RpcSettings(
        binding=binding,
        tls_cert=certificate,
        tls_key=key,
        tls_ca=trusted,
        deadline_seconds=more.pop("deadline_seconds", 5),
        **more,
    )


async def test_both_sides_prove_who_they_are(
    authority: CertificateAuthority, server_binding: Binding, client_binding: Binding, tmp_path: Path
) -> None:
    async with (
        serving(settings_of(authority, server_binding, tmp_path, "auth")) as served,
        connected(served.address, settings_of(authority, client_binding, tmp_path, "edge")) as clients,
    ):
        assert await clients.authority.check_token("good") == INFO
        async with clients.moderation.watch_blocks() as changes:
            await clients.moderation.block_user("11111111-1111-4111-8111-111111111111", by="x", reason="", seconds=None)
            assert (await anext(changes)).block is not None


async def test_only_the_named_peers_may_call(
    authority: CertificateAuthority, server_binding: Binding, client_binding: Binding, tmp_path: Path
) -> None:
    async with serving(settings_of(authority, server_binding, tmp_path, "auth", peers=("edge", "chat"))) as served:
        async with connected(served.address, settings_of(authority, client_binding, tmp_path, "edge")) as welcome:
            assert await welcome.authority.check_token("good") == INFO
        async with connected(served.address, settings_of(authority, client_binding, tmp_path, "other")) as stranger:
            with pytest.raises(Forbidden):
                await stranger.authority.check_token("good")


async def test_strangers_are_refused(
    authority: CertificateAuthority, server_binding: Binding, client_binding: Binding, tmp_path: Path
) -> None:
    """Without TLS, and with a certificate that another authority signed."""
    foreign = settings_of(CertificateAuthority(), client_binding, tmp_path / "..", "edge", deadline_seconds=1)
    async with serving(settings_of(authority, server_binding, tmp_path, "auth")) as served:
        for theirs in (RpcSettings(binding=client_binding, deadline_seconds=1), foreign):
            async with connected(served.address, theirs) as strangers:
                with pytest.raises(Unavailable):
                    await strangers.authority.check_token("good")
        async with connected(served.address, settings_of(authority, client_binding, tmp_path, "edge")) as clients:
            assert await clients.authority.check_token("good") == INFO


async def presented(address: Address, context: ssl.SSLContext) -> bytes:
    """The certificate that a new connection is shown. Reads once, since TLS 1.3 tells a refusal after the handshake."""
    async with await anyio.connect_tcp(address.host, address.port) as tcp:
        stream = await TLSStream.wrap(tcp, ssl_context=context, hostname="127.0.0.1", standard_compatible=False)
        await stream.receive()
        certificate: bytes | None = stream.extra(TLSAttribute.peer_certificate_binary)  # noqa: S610 - no database here
        assert certificate
        return certificate


async def test_a_peer_without_a_certificate_is_refused(
    authority: CertificateAuthority, server_binding: Binding, tmp_path: Path
) -> None:
    mine = settings_of(authority, server_binding, tmp_path, "auth")
    context = ssl.create_default_context(cafile=str(mine.tls_ca))
    context.set_alpn_protocols(["h2"])
    async with serving(mine) as served:
        with (
            pytest.raises((ssl.SSLError, OSError, anyio.BrokenResourceError, anyio.EndOfStream)),
            anyio.fail_after(patient(10)),
        ):
            await presented(served.address, context)
        known = Certificates.from_settings(mine)
        assert known is not None
        await presented(served.address, known.current_files().client)


async def test_certificates_change_without_a_restart(
    authority: CertificateAuthority, server_binding: Binding, client_binding: Binding, tmp_path: Path
) -> None:
    theirs = settings_of(authority, client_binding, tmp_path, "edge")
    known = Certificates.from_settings(theirs)
    assert known is not None
    async with serving(settings_of(authority, server_binding, tmp_path, "auth")) as served:
        async with connected(served.address, theirs) as clients:
            assert await clients.authority.check_token("good") == INFO
            before = await presented(served.address, known.current_files().client)
            authority.write(tmp_path / "auth", "auth")
            authority.write(tmp_path / "edge", "edge")
            assert await presented(served.address, known.current_files().client) != before
            assert await clients.authority.check_token("good") == INFO
        async with connected(served.address, theirs) as clients:
            assert await clients.authority.check_token("good") == INFO


async def test_files_that_do_not_fit_together_change_nothing(
    authority: CertificateAuthority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, key, trusted = authority.write(tmp_path, "auth")
    certificates = Certificates(certificate, key, trusted)
    before = certificates.current_files()
    assert certificates.current_files() is before
    key.write_bytes(b"half of a ke")
    with caplog.at_level(logging.WARNING):
        assert certificates.current_files() is before
    assert "the old ones stay" in caplog.text
    authority.write(tmp_path, "auth")
    assert certificates.current_files() is not before


async def test_files_that_cannot_be_used_are_named_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.pem"):
        Certificates(tmp_path / "missing.pem", tmp_path / "key.pem", tmp_path / "authority.pem")
