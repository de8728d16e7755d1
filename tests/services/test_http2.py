"""What a hostile client of HTTP/2 can do: control frames, long lists of headers, windows opened
again and again or never."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest

from services.common.http2 import FrameBudget, NothingToSend, StreamTurns
from tests.support.http_server import REAL_CLOCKS, read_all, running
from tests.support.patience import patient

pytestmark = pytest.mark.anyio
# Frames and the encoder of headers, by the names that h2 has for them: only h2 decides which versions these are.
_library: Any = h2.connection
Encoder, HeadersFrame = _library.Encoder, _library.HeadersFrame
ContinuationFrame, DataFrame = _library.ContinuationFrame, _library.DataFrame
WindowUpdateFrame = _library.WindowUpdateFrame
PROTOCOL_ERROR, CALM = 0x1, 0xB


@pytest.fixture(params=REAL_CLOCKS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Real sockets need real clocks."""
    return REAL_CLOCKS[request.param]


def make_request(path: str) -> list[tuple[str, str]]:
    return [(":method", "GET"), (":path", path), (":scheme", "http"), (":authority", "x")]


def open_client(**settings: int) -> h2.connection.H2Connection:
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    if settings:
        client.update_settings({h2.settings.SettingCodes[name]: value for name, value in settings.items()})
    return client


def set_flags(frame: Any, *flags: str) -> bytes:
    for flag in flags:
        frame.flags.add(flag)
    data: bytes = frame.serialize()
    return data


def long_list() -> bytes:
    client = open_client()
    client.send_headers(1, [*make_request("/"), *((f"x-{n}", "y" * 1000) for n in range(20))], end_stream=True)
    return client.data_to_send()


def bomb() -> bytes:
    """A header of 4 kB, named 15,000 times by one byte each."""
    block = Encoder().encode([*make_request("/"), ("x", "y" * 4000)]) + b"\xbe" * 12_000
    frame = HeadersFrame(1, data=block)
    return open_client().data_to_send() + set_flags(frame, "END_STREAM", "END_HEADERS")


def endless_headers() -> bytes:
    begin = HeadersFrame(1, data=b"").serialize()
    more: bytes = ContinuationFrame(1, data=b"\0" * 1000).serialize()
    return open_client().data_to_send() + bytes(begin) + more * 3000


def window_updates() -> bytes:
    client = open_client(INITIAL_WINDOW_SIZE=0)
    for number in range(20):
        client.send_headers(2 * number + 1, make_request("/large"), end_stream=True)
    update: bytes = WindowUpdateFrame(0, window_increment=1).serialize()
    return client.data_to_send() + update * 20_000


def wrong_frames(make_wrong: Any) -> bytes:
    """Requests that the server itself has to reset, each by a wrong frame behind it."""
    encoder = Encoder()
    data = open_client().data_to_send()
    for stream in range(1, 4001, 2):
        headers = HeadersFrame(stream, data=encoder.encode(make_request("/wait")))
        data += set_flags(headers, "END_STREAM", "END_HEADERS") + make_wrong(stream).serialize()
    return data


def resets() -> bytes:
    client = open_client()
    for number in range(5000):
        client.send_headers(2 * number + 1, make_request("/wait"), end_stream=True)
        client.reset_stream(2 * number + 1)
    return client.data_to_send()


def control_frames(frame: bytes) -> bytes:
    return open_client().data_to_send() + frame * 20_000


def send_late_data() -> bytes:
    return wrong_frames(lambda stream: DataFrame(stream, data=b"x"))


def overflow_windows() -> bytes:
    return wrong_frames(lambda stream: WindowUpdateFrame(stream, window_increment=2**31 - 1))


# They are made when their test runs: every worker reads this module, and one runs its tests.
ATTACKS: dict[str, tuple[Callable[[], bytes], int]] = {
    "resets": (resets, CALM),
    "priorities": (partial(control_frames, b"\0\0\5\2\0\0\0\0\1\0\0\0\0\7"), CALM),
    "priorities of each other": (partial(control_frames, b"\0\0\5\2\0\0\0\0\1\0\0\0\3\7"), CALM),
    "pings": (partial(control_frames, b"\0\0\x08\6\0\0\0\0\0" + b"12345678"), CALM),
    "settings": (partial(control_frames, b"\0\0\6\4\0\0\0\0\0" + b"\0\3\0\0\0\7"), CALM),
    "a list of 20 kB": (long_list, CALM),
    "a bomb": (bomb, CALM),
    "headers without an end": (endless_headers, PROTOCOL_ERROR),
    "window updates": (window_updates, CALM),
    "data behind the end of a request": (send_late_data, CALM),
    "windows that overflow": (overflow_windows, CALM),
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_ends_its_connection(name: str) -> None:
    make_attack, code = ATTACKS[name]
    attack = make_attack()
    async with running(http2=True) as here, await here.connect() as stream, anyio.create_task_group() as tasks:

        async def push() -> None:
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                await stream.send(attack)

        tasks.start_soon(push)
        answer = await read_all(stream)
        goaway = answer[answer.rindex(b"\7\0\0\0\0\0") :]
        assert int.from_bytes(goaway[10:14], "big") == code
        await here.ordinary()
        tasks.cancel_scope.cancel()


async def test_a_client_that_reads_much_opens_its_windows_as_often_as_it_likes() -> None:
    """24 MB, with an update for each frame of data: more of them than the budget of frames that cost nothing."""
    async with running(http2=True) as here, await here.connect() as stream:
        client = open_client(INITIAL_WINDOW_SIZE=2**30)
        for number in (1, 3, 5):
            client.send_headers(number, make_request("/large"), end_stream=True)
        await stream.send(client.data_to_send())
        received = ended = updates = 0
        while ended < 3:
            for event in client.receive_data(await stream.receive()):
                if isinstance(event, h2.events.DataReceived) and event.data:
                    received += len(event.data)
                    client.increment_flow_control_window(len(event.data))
                    updates += 1
                ended += isinstance(event, h2.events.StreamEnded)
            await stream.send(client.data_to_send())
        assert received == 24_000_000
        assert updates > 1000


async def test_updates_that_were_earned_are_not_saved_up_without_end() -> None:
    """8 MB that are read with windows open from the start, and then as many updates as that would have earned."""
    async with running(http2=True) as here, await here.connect() as stream:
        client = open_client(INITIAL_WINDOW_SIZE=2**30)
        client.increment_flow_control_window(2**30)
        client.send_headers(1, make_request("/large"), end_stream=True)
        await stream.send(client.data_to_send())
        events: list[Any] = []
        while not any(isinstance(event, h2.events.StreamEnded) for event in events):
            events = client.receive_data(await stream.receive())
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            await stream.send(WindowUpdateFrame(0, window_increment=1).serialize() * 6_000)
        with anyio.fail_after(patient(10)):
            answer = await read_all(stream)
        goaway = answer[answer.rindex(b"\7\0\0\0\0\0") :]
        assert int.from_bytes(goaway[10:14], "big") == CALM


async def test_control_frames_take_from_a_budget_of_all_connections() -> None:
    budget = FrameBudget(10, 0)
    assert budget.take_frames(7)
    assert not budget.take_frames(4)
    assert budget.take_frames(3)
    assert not budget.take_frames(1)


async def test_streams_take_turns_whatever_their_priorities() -> None:
    turns = StreamTurns()
    with pytest.raises(NothingToSend):
        next(turns)
    for stream in (1, 3, 5):
        turns.insert_stream(stream)
    turns.reprioritize(stream_id=5, depends_on=1, weight=7, exclusive=True)
    assert [next(turns) for _ in range(4)] == [1, 3, 5, 1]
    turns.block(5)
    turns.remove_stream(3)
    turns.unblock(3)
    assert [next(turns) for _ in range(2)] == [1, 1]
    turns.unblock(5)
    assert {next(turns), next(turns)} == {1, 5}
