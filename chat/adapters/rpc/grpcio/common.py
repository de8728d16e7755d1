"""What the grpcio server and its clients share: options of channels, and statuses."""

from __future__ import annotations

from typing import Any

import grpc

from chat.adapters.rpc.caller import CONNECT_SECONDS
from chat.adapters.rpc.certificates import TlsFiles
from chat.adapters.rpc.status import Code, Failure, Metadata
from chat.settings import RpcSettings

ChannelOptions = list[tuple[str, str | int]]

STATUSES: dict[Code, grpc.StatusCode] = {Code(status.value[0]): status for status in grpc.StatusCode}
_CODES = {status: code for code, status in STATUSES.items()}

_IDENTITY_ONLY = 1
"""Bit set of compression algorithms. The library bounds a message before it is inflated and not after, so a small one
could fill the memory; messages between the roles are small, and nothing is lost without compression."""


def _common_options(settings: RpcSettings) -> ChannelOptions:
    return [
        ("grpc.max_receive_message_length", settings.max_bytes),
        ("grpc.max_send_message_length", settings.max_bytes),
        ("grpc.compression_enabled_algorithms_bitset", _IDENTITY_ONLY),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    ]


def client_options(settings: RpcSettings) -> ChannelOptions:
    """Of a channel. Retries are the caller's (`RetryBudget`), for both bindings alike."""
    return [
        *_common_options(settings),
        ("grpc.enable_retries", 0),
        ("grpc.lb_policy_name", "round_robin"),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        # In spite of its name, this bounds how long an attempt to connect may take. Every call that waits for it fails
        # with it, so it must outlast a server that is busy for a second.
        ("grpc.min_reconnect_backoff_ms", int(CONNECT_SECONDS * 1000)),
        ("grpc.use_local_subchannel_pool", 1),
    ]


def server_options(settings: RpcSettings) -> ChannelOptions:
    """Of a server."""
    return [
        *_common_options(settings),
        ("grpc.so_reuseport", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ("grpc.max_metadata_size", 16_384),
    ]


def client_credentials(loaded: TlsFiles) -> grpc.ChannelCredentials:
    """Of a channel that proves who it is."""
    return grpc.ssl_channel_credentials(loaded.authority, loaded.key, loaded.certificate)


def failure_from(status: grpc.StatusCode | None, details: str | None, trailers: Any) -> Failure:
    """Of what a call of the library raised."""
    code = _CODES.get(status, Code.UNKNOWN) if status is not None else Code.UNKNOWN
    metadata: Metadata = tuple((key, value) for key, value in trailers or () if isinstance(value, str))
    return Failure(code, details or "", metadata)
