"""Hands a record to the log, whose acknowledgement answers the command: so `ok` means durable."""

from __future__ import annotations

from functools import partial

from chat.domain.records import AnyRecord
from chat.errors import RookeryError, Unavailable
from chat.tracing import record_headers
from chat.wire import records
from gateway.counters import CommandTiming
from gateway.session import Session


def produce_record(session: Session, id: int, record: AnyRecord) -> None:  # noqa: A002 - the contract's word
    """Hand a record to the log, and answer when it is durable. Raises `Overloaded` if the log takes no more."""
    key = record.conversation
    topic, timing = records.topic_of(key), session.timing
    if timing is not None:
        timing.note_produced(topic)
    session.node.log.produce(
        topic, key, records.encode(record), partial(_acknowledge, session, id, timing), record_headers()
    )
    session.timing = None  # the acknowledgement ends it
    session.note_begun()


def _acknowledge(session: Session, id: int, timing: CommandTiming | None, error: Exception | None) -> None:  # noqa: A002
    session.note_ended()
    if timing is not None:
        timing.error = None if error is None else "unavailable"
        session.node.counters.count_command(timing)
    if error is None:
        session.node.counters.accepted += 1
        session.answer_ok(id)
    else:
        session.answer_error(id, error if isinstance(error, RookeryError) else Unavailable("not stored; send it again"))
    session.node.mux.flush_soon()  # the log calls back outside a turn of the multiplexer
