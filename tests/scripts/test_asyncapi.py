"""The generator of the AsyncAPI document: what it writes reads back as what it made."""

from __future__ import annotations

import yaml

from chat.wire import commands, events
from scripts.lib import asyncapi
from scripts.lib.wire_contract import Contract


def test_the_text_reads_back_as_the_document() -> None:
    document = asyncapi.make_document(Contract())
    text = asyncapi.dump(document)
    assert yaml.safe_load(text) == document
    assert all(len(line) <= 120 for line in text.splitlines())


def test_every_command_and_event_has_a_frame() -> None:
    contract = Contract()
    assert [frame.kind for frame in contract.commands] == list(commands.AnyCommand.__args__)
    assert [frame.kind for frame in contract.events] == list(events.AnyEvent.__args__)


def test_an_answer_is_found_by_the_name_of_its_command() -> None:
    contract = Contract()
    answers = {frame.tag: contract.find_answer(frame).key for frame in contract.commands}
    assert answers["subscribe"] == "okSubscribe"
    assert answers["send"] == "ok"
