from proto.chat.v1 import chat_pb2 as _chat_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RoomAccess(_message.Message):
    __slots__ = ("user", "room", "role", "actions")
    USER_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    user: str
    room: str
    role: _chat_pb2.Role
    actions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, user: _Optional[str] = ..., room: _Optional[str] = ..., role: _Optional[_Union[_chat_pb2.Role, str]] = ..., actions: _Optional[_Iterable[str]] = ...) -> None: ...

class CheckTokenRequest(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    def __init__(self, token: _Optional[str] = ...) -> None: ...

class CheckTokenResponse(_message.Message):
    __slots__ = ("user", "name", "family", "expires_ms", "display_name")
    USER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_MS_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    user: str
    name: str
    family: str
    expires_ms: int
    display_name: str
    def __init__(self, user: _Optional[str] = ..., name: _Optional[str] = ..., family: _Optional[str] = ..., expires_ms: _Optional[int] = ..., display_name: _Optional[str] = ...) -> None: ...

class CheckRoomAccessRequest(_message.Message):
    __slots__ = ("user", "room")
    USER_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    user: str
    room: str
    def __init__(self, user: _Optional[str] = ..., room: _Optional[str] = ...) -> None: ...

class CheckRoomAccessResponse(_message.Message):
    __slots__ = ("access",)
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    access: RoomAccess
    def __init__(self, access: _Optional[_Union[RoomAccess, _Mapping]] = ...) -> None: ...

class BatchCheckRoomAccessRequest(_message.Message):
    __slots__ = ("pairs",)
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    pairs: _containers.RepeatedCompositeFieldContainer[_chat_pb2.UserInRoom]
    def __init__(self, pairs: _Optional[_Iterable[_Union[_chat_pb2.UserInRoom, _Mapping]]] = ...) -> None: ...

class BatchCheckRoomAccessResponse(_message.Message):
    __slots__ = ("access",)
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    access: _containers.RepeatedCompositeFieldContainer[RoomAccess]
    def __init__(self, access: _Optional[_Iterable[_Union[RoomAccess, _Mapping]]] = ...) -> None: ...

class WatchRevocationsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchRevocationsResponse(_message.Message):
    __slots__ = ("user", "family", "code", "reason")
    USER_FIELD_NUMBER: _ClassVar[int]
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    user: str
    family: str
    code: int
    reason: str
    def __init__(self, user: _Optional[str] = ..., family: _Optional[str] = ..., code: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...
