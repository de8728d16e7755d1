"""The table of errors and statuses, both ways, and the settings of RPC."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry import context

from chat import errors
from chat.adapters.rpc import tracing
from chat.adapters.rpc.listening import listen_address
from chat.adapters.rpc.status import Code, Failure, error_of, failure_of
from chat.settings import Address, RpcSettings, SettingsError

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type)
    and issubclass(kind, errors.RookeryError)
    and kind not in {errors.RateLimited, errors.StorageFailed}  # each has a test of its own
]
CODES = {
    errors.Invalid: Code.INVALID_ARGUMENT,
    errors.TooLong: Code.INVALID_ARGUMENT,
    errors.Unauthorized: Code.UNAUTHENTICATED,
    errors.Forbidden: Code.PERMISSION_DENIED,
    errors.Blocked: Code.PERMISSION_DENIED,
    errors.Banned: Code.PERMISSION_DENIED,
    errors.NotFound: Code.NOT_FOUND,
    errors.Conflict: Code.ALREADY_EXISTS,
    errors.LastOwner: Code.ALREADY_EXISTS,
    errors.TooManyInvitations: Code.ALREADY_EXISTS,
    errors.Refused: Code.FAILED_PRECONDITION,
    errors.Unavailable: Code.UNAVAILABLE,
    errors.Overloaded: Code.RESOURCE_EXHAUSTED,
    errors.Fenced: Code.ABORTED,
    errors.Poison: Code.INTERNAL,
    errors.RookeryError: Code.INTERNAL,
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_error_has_its_status(kind: type[errors.RookeryError]) -> None:
    failure = failure_of(kind("as told", field="name"))
    assert failure.code is CODES[kind]
    assert (failure.message == "as told") is issubclass(kind, errors.Refused)


def test_a_disk_that_is_full_is_unavailable_to_another_role() -> None:
    failure = failure_of(errors.StorageFailed("the disk is full", state="full"))
    assert failure.code is Code.UNAVAILABLE
    assert type(error_of(failure, "auth")) is errors.Unavailable


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, errors.Refused | errors.Unavailable)])
def test_what_a_caller_can_act_on_comes_back_as_it_was(kind: type[errors.RookeryError]) -> None:
    back = error_of(failure_of(kind("as told", field="name")), "auth")
    assert type(back) is kind
    assert back.code == kind.code
    if issubclass(kind, errors.Refused):
        assert (back.message, back.field) == ("as told", "name")


@pytest.mark.parametrize("code", [Code.INTERNAL, Code.UNKNOWN, Code.DEADLINE_EXCEEDED, Code.UNIMPLEMENTED])
def test_what_is_no_answer_is_unavailable(code: Code) -> None:
    error = error_of(Failure(code, "words of a stranger"), "auth")
    assert type(error) is errors.Unavailable
    assert "stranger" not in error.message


def test_a_status_without_our_trailers_is_understood() -> None:
    assert type(error_of(Failure(Code.NOT_FOUND, "no"), "auth")) is errors.NotFound
    assert type(error_of(Failure(Code.RESOURCE_EXHAUSTED, "no"), "auth")) is errors.Overloaded


def test_a_field_that_no_header_can_carry_is_left_out() -> None:
    assert failure_of(errors.Invalid("no", field="na\nme")).trailers == (("rookery-code", "invalid"),)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00-0-0-00",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"ff-{'1' * 32}-b7ad6b7169203331-01",
        f"00-{'G' * 32}-x-01",
    ],
)
def test_a_malformed_trace_is_none(header: str) -> None:
    before = context.attach(context.Context())
    try:
        tracing.continue_trace({"traceparent": header})
        assert tracing.current_trace_id() is None
        assert tracing.trace_metadata() == ()
    finally:
        context.detach(before)


@pytest.mark.parametrize("listen", [Address("::", 1), Address("auth.internal", 1)])
def test_an_address_that_strangers_reach_needs_a_token_or_certificates(listen: Address) -> None:
    settings = RpcSettings(listen=listen)
    with pytest.raises(SettingsError, match="ROOKERY_RPC_TOKEN"):
        listen_address(settings)


def test_an_address_that_strangers_reach_is_fine_with_certificates() -> None:
    listen = Address("10.0.0.7", 50051)
    settings = RpcSettings(listen=listen, tls_cert=Path("a.pem"), tls_key=Path("b.pem"), tls_ca=Path("c.pem"))
    assert listen_address(settings) == listen


@pytest.mark.parametrize("listen", [Address("127.0.0.1", 0), Address("::1", 9), Address("localhost", 9)])
def test_an_address_of_this_machine_needs_neither(listen: Address) -> None:
    assert listen_address(RpcSettings(listen=listen)) == listen
