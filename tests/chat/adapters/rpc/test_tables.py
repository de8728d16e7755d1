"""The tables of methods are those of the `.proto` files."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor import ServiceDescriptor

from chat.adapters.rpc.authority import auth_service
from chat.adapters.rpc.conversations import chat_service
from chat.adapters.rpc.methods import Service, Streaming
from chat.adapters.rpc.moderation import moderation_service
from chat.domain.moderation import Strictness, Verdict
from proto.auth.v1 import auth_pb2
from proto.chat.v1 import chat_pb2
from proto.moderation.v1 import moderation_pb2
from tests.support.rpc import FakeAuthority, FakeConversations, FakeModeration

TABLES = {
    "auth": (auth_service(FakeAuthority()), auth_pb2.DESCRIPTOR.services_by_name["AuthService"]),
    "chat": (chat_service(FakeConversations()), chat_pb2.DESCRIPTOR.services_by_name["ChatService"]),
    "moderation": (
        moderation_service(FakeModeration()),
        moderation_pb2.DESCRIPTOR.services_by_name["ModerationService"],
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_serves_all_that_its_file_promises(name: str) -> None:
    service: Service = TABLES[name][0]
    described: ServiceDescriptor = TABLES[name][1]
    assert service.name == described.full_name
    table = {
        each.method.name: (
            each.method.request.DESCRIPTOR.full_name,
            each.method.response.DESCRIPTOR.full_name,
            isinstance(each, Streaming),
        )
        for each in service.endpoints
    }
    promised = {
        each.name: (each.input_type.full_name, each.output_type.full_name, each.server_streaming)
        for each in described.methods
    }
    assert table == promised
    assert all(each.method.streams == isinstance(each, Streaming) for each in service.endpoints)


def test_every_word_of_the_domain_is_on_the_wire() -> None:
    assert set(moderation_pb2.Verdict.keys()) == {"VERDICT_UNSPECIFIED", *(f"VERDICT_{each.name}" for each in Verdict)}
    assert set(moderation_pb2.Strictness.keys()) == {
        "STRICTNESS_UNSPECIFIED",
        *(f"STRICTNESS_{each.name}" for each in Strictness),
    }
