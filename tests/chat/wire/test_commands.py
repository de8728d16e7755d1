"""Commands: whatever the frame is, it is one command, or a refusal that says why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.wire.commands import BadCommand, decode_command

ROOM = "0b0e7ad8-5f0c-4b5e-8b1c-000000000001"
ADA = "0b0e7ad8-5f0c-4b5e-8b1c-00000000000a"
FRAME_LIMIT = 64 * 1024
SEND = {"type": "send", "id": 1, "room": ROOM, "text": "hello", "client_id": ADA}
COMMANDS: list[dict[str, Any]] = [
    SEND,
    {**SEND, "reply_to": 3},
    {**SEND, "reply_to": None},
    {"type": "dm", "id": 1, "to": ADA, "text": "hello", "client_id": ADA},
    {"type": "subscribe", "id": 1, "room": ROOM},
    {"type": "subscribe", "id": 1, "room": ROOM, "since": 0},
    {"type": "edit", "id": 1, "room": ROOM, "seq": 1, "text": "hello"},
    {"type": "edit", "id": 1, "with": ADA, "seq": 1, "text": "hello"},
    {"type": "react", "id": 1, "with": ADA, "seq": 1, "emoji": ":+1:"},
    {"type": "react", "id": 1, "with": ADA, "seq": 1, "emoji": ":", "remove": False},
    {"type": "react", "id": 1, "with": ADA, "seq": 1, "emoji": ":", "remove": True},
    {"type": "typing", "id": 1, "room": ROOM},
    {"type": "presence", "id": 1, "users": [ADA, ROOM]},
]
TEXTS = ["a:b", "::::", '":"', "\\", '\\"', "\\u003a", "\n:", "", '"id":2', "é:\u2028"]


def written_out(command: dict[str, Any], *repeated: tuple[str, Any]) -> str:
    pairs = [*command.items(), *repeated]
    return "{" + ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in pairs) + "}"


def refusal(frame: str) -> BadCommand:
    with pytest.raises(BadCommand) as refused:
        decode_command(frame.encode())
    return refused.value


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("text", TEXTS)
def test_no_text_makes_a_key_stand_twice_or_hides_one_that_does(command: dict[str, Any], text: str) -> None:
    command = {**command, "text": text} if "text" in command else {**command, "unknown": text}
    for frame in (written_out(command), written_out(command).replace(":", r"\u003a").replace(r'"\u003a', '":')):
        assert decode_command(frame.encode()).id == 1
    for key, value in command.items():
        refused = refusal(written_out(command, (key, value)))
        assert refused.code == "bad_json"
        assert f"the key {key!r} stands twice" in refused.message


def test_a_key_that_is_escaped_stands_twice_all_the_same() -> None:
    for text in TEXTS:
        frame = written_out({**SEND, "text": text})
        assert "the key 'id' stands twice" in refusal(frame[:-1] + r',"\u0069d":2}').message


def test_colons_that_the_text_escapes_do_not_make_up_for_a_key_that_stands_twice() -> None:
    frame = written_out({**SEND, "text": "x"}).replace('"x"', r'"\u003a"')
    assert decode_command(frame.encode()).id == 1
    assert "'id' stands twice" in refusal(frame[:-1] + ',"id":2}').message
    assert "'text' stands twice" in refusal(frame[:-1] + ',"text":"y"}').message


@given(st.text(alphabet=':"\\u03aA{},', max_size=12), st.text(alphabet=':"\\u03aA{},', max_size=12))
def test_a_text_that_stands_twice_is_refused_whatever_the_texts_are(first: str, second: str) -> None:
    assert refusal(written_out({**SEND, "text": first}, ("text", second))).code == "bad_json"


def test_a_frame_full_of_keys_is_read_a_fixed_number_of_times() -> None:
    keys = ",".join(f'"{number:x}":0' for number in range(7500))
    head = written_out(SEND)[:-1]
    frame = f"{head},{keys}}}"
    assert 0.8 * FRAME_LIMIT < len(frame) < FRAME_LIMIT
    assert decode_command(frame.encode()).id == 1
    assert "'0' stands twice" in refusal(f'{head},{keys},"0":0}}').message
    assert "'1d4b' stands twice" in refusal(f'{head},{keys},"1d4b":0}}').message
    assert "'0' stands twice" in refusal(f"{head},{keys},{keys}}}").message
    assert "'k' stands twice" in refusal(head + ',"k":0' * 10_000 + "}").message
    assert "'0' stands twice" in refusal(f'{{{keys},"0":0}}').message, "before it is known to be a command"


def test_two_ids_are_not_taken_for_valid_because_they_are_when_put_together() -> None:
    for room, client_id in ((ROOM[:-1], ROOM[-1] + ADA), (ROOM + ADA[0], ADA[1:]), (f"{ROOM} {ADA}", "")):
        assert refusal(written_out({**SEND, "room": room, "client_id": client_id})).field == "room"


def test_ids_are_in_lower_case_once_a_command_is_made() -> None:
    for command in COMMANDS:
        shouted = {
            key: value.upper() if value in (ROOM, ADA) and key != "client_id" else value
            for key, value in command.items()
        }
        if "users" in command:
            shouted["users"] = [user.upper() for user in command["users"]]
        assert decode_command(written_out(shouted).encode()) == decode_command(written_out(command).encode())


@pytest.mark.parametrize("command", [each for each in COMMANDS if "client_id" in each])
def test_a_client_id_stays_as_it_was_sent(command: dict[str, Any]) -> None:
    for client_id in (ADA, ADA.upper(), ADA[:18] + ADA[18:].upper()):
        made: Any = decode_command(written_out({**command, "client_id": client_id}).encode())
        assert made.client_id == client_id


@pytest.mark.parametrize("bad", ["", "x", ROOM[:-1], ROOM + "0", ROOM + "\n", ROOM.replace("-", ""), "é" + ROOM[1:]])
@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_not_a_uuid_is_refused_with_the_name_of_its_field(command: dict[str, Any], bad: str) -> None:
    for key in {"room", "with", "to", "client_id", "users"} & set(command):
        refused = refusal(written_out({**command, key: [bad] if key == "users" else bad}))
        assert (refused.code, refused.field, refused.id) == ("invalid", key, 1)
        assert f"`{key}` is a UUID" in refused.message
