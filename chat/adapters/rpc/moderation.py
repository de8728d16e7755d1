"""`rookery.moderation.v1` as a table, its server side over the port, and the port over a client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Self

from chat.adapters.rpc import fields
from chat.adapters.rpc.bindings import open_caller
from chat.adapters.rpc.caller import Caller
from chat.adapters.rpc.methods import Method, Service, Streaming, Unary
from chat.domain.moderation import Block, BlockChange, Content, Finding, Strictness, Verdict
from chat.errors import Invalid
from chat.ports.moderation import MAX_BATCH, Moderation
from chat.settings import Address, RpcSettings
from proto.moderation.v1 import moderation_pb2 as moderation

NAME = "rookery.moderation.v1.ModerationService"
TEXT_BYTES = 65_536
REASON_LENGTH = 500
BlockOrder = tuple[str, str, str, int | None]
"""(user, by, reason, seconds)"""
UnblockOrder = tuple[str, str, str]
"""(user, by, reason)"""

_VERDICTS = {
    Verdict.ALLOW: moderation.VERDICT_ALLOW,
    Verdict.FLAG: moderation.VERDICT_FLAG,
    Verdict.REMOVE: moderation.VERDICT_REMOVE,
    Verdict.BLOCK: moderation.VERDICT_BLOCK,
}
_READ_VERDICTS: dict[int, Verdict] = {number: verdict for verdict, number in _VERDICTS.items()}
_STRICTNESS = {
    Strictness.RELAXED: moderation.STRICTNESS_RELAXED,
    Strictness.NORMAL: moderation.STRICTNESS_NORMAL,
    Strictness.STRICT: moderation.STRICTNESS_STRICT,
}
_READ_STRICTNESS: dict[int, Strictness] = {
    moderation.STRICTNESS_UNSPECIFIED: Strictness.NORMAL,
    **{number: strictness for strictness, number in _STRICTNESS.items()},
}


def _write_content(content: Content) -> moderation.Content:
    return moderation.Content(
        conversation=content.conversation,
        sender=content.sender,
        client_id=content.client_id,
        text=content.text,
        sent_ms=content.ts,
        revision=content.revision,
        strictness=_STRICTNESS[content.strictness],
    )


def _read_content(content: moderation.Content, prefix: str = "content.") -> Content:
    if len(content.text.encode()) > TEXT_BYTES:
        raise Invalid(f"`{prefix}text` has at most {TEXT_BYTES} bytes of UTF-8", field=f"{prefix}text")
    strictness = _READ_STRICTNESS.get(content.strictness)
    if strictness is None:
        raise Invalid(f"`{prefix}strictness` is one that this version does not know", field=f"{prefix}strictness")
    return Content(
        conversation=fields.check_conversation(content.conversation, f"{prefix}conversation"),
        sender=fields.check_id(content.sender, f"{prefix}sender"),
        client_id=fields.check_id(content.client_id, f"{prefix}client_id"),
        text=content.text,
        ts=fields.check_number(content.sent_ms, f"{prefix}sent_ms", least=0),
        revision=fields.check_number(content.revision, f"{prefix}revision", least=0),
        strictness=strictness,
    )


def _read_contents(asked: moderation.CheckBatchRequest) -> list[Content]:
    several = fields.check_list(asked.contents, "contents", MAX_BATCH)
    return [_read_content(content, f"contents[{index}].") for index, content in enumerate(several)]


def _write_finding(finding: Finding) -> moderation.Finding:
    return moderation.Finding(verdict=_VERDICTS[finding.verdict], rule=finding.rule, reason=finding.reason)


def _read_finding(finding: moderation.Finding) -> Finding:
    verdict = _READ_VERDICTS.get(finding.verdict)
    if verdict is None:
        raise ValueError(f"verdict {finding.verdict} is not known")
    return Finding(verdict=verdict, rule=finding.rule, reason=finding.reason)


def _write_block(block: Block) -> moderation.Block:
    return moderation.Block(
        user=block.user, by=block.by, reason=block.reason, since_ms=block.since, until_ms=block.until
    )


def _read_block(block: moderation.Block) -> Block:
    until = block.until_ms if block.HasField("until_ms") else None
    return Block(user=block.user, by=block.by, reason=block.reason, since=block.since_ms, until=until)


def _read_order(asked: moderation.BlockUserRequest | moderation.UnblockUserRequest) -> UnblockOrder:
    return (
        fields.check_id(asked.user, "user"),
        fields.check_string(asked.by, "by", least=1, most=64),
        fields.check_string(asked.reason, "reason", most=REASON_LENGTH),
    )


def _read_block_order(asked: moderation.BlockUserRequest) -> BlockOrder:
    seconds = fields.check_number(asked.seconds, "seconds", least=1, most=10**10) if asked.HasField("seconds") else None
    return (*_read_order(asked), seconds)


def _read_page(asked: moderation.ListBlocksRequest) -> tuple[str, int]:
    after = fields.check_id(asked.after, "after") if asked.after else ""
    return after, fields.check_number(asked.limit, "limit", least=1, most=1000)


def _write_change(change: BlockChange) -> moderation.WatchBlocksResponse:
    block = None if change.block is None else _write_block(change.block)
    return moderation.WatchBlocksResponse(user=change.user, block=block)


def _read_change(change: moderation.WatchBlocksResponse) -> BlockChange:
    block = _read_block(change.block) if change.HasField("block") else None
    return BlockChange(user=change.user, block=block)


CHECK: Method[Content, Finding] = Method(
    service=NAME,
    name="Check",
    request=moderation.CheckRequest,
    response=moderation.CheckResponse,
    write_request=lambda content: moderation.CheckRequest(content=_write_content(content)),
    read_request=lambda asked: _read_content(asked.content),
    write_answer=lambda finding: moderation.CheckResponse(finding=_write_finding(finding)),
    read_answer=lambda answer: _read_finding(answer.finding),
)
CHECK_BATCH: Method[Sequence[Content], Sequence[Finding]] = Method(
    service=NAME,
    name="CheckBatch",
    request=moderation.CheckBatchRequest,
    response=moderation.CheckBatchResponse,
    write_request=lambda contents: moderation.CheckBatchRequest(contents=map(_write_content, contents)),
    read_request=_read_contents,
    write_answer=lambda findings: moderation.CheckBatchResponse(findings=map(_write_finding, findings)),
    read_answer=lambda answer: [_read_finding(finding) for finding in answer.findings],
)
BLOCK_USER: Method[BlockOrder, Block] = Method(
    service=NAME,
    name="BlockUser",
    request=moderation.BlockUserRequest,
    response=moderation.BlockUserResponse,
    write_request=lambda order: moderation.BlockUserRequest(
        user=order[0], by=order[1], reason=order[2], seconds=order[3]
    ),
    read_request=_read_block_order,
    write_answer=lambda block: moderation.BlockUserResponse(block=_write_block(block)),
    read_answer=lambda answer: _read_block(answer.block),
)
UNBLOCK_USER: Method[UnblockOrder, bool] = Method(
    service=NAME,
    name="UnblockUser",
    request=moderation.UnblockUserRequest,
    response=moderation.UnblockUserResponse,
    write_request=lambda order: moderation.UnblockUserRequest(user=order[0], by=order[1], reason=order[2]),
    read_request=_read_order,
    write_answer=lambda existed: moderation.UnblockUserResponse(existed=existed),
    read_answer=lambda answer: answer.existed,
    repeatable=False,
)
LIST_BLOCKS: Method[tuple[str, int], Sequence[Block]] = Method(
    service=NAME,
    name="ListBlocks",
    request=moderation.ListBlocksRequest,
    response=moderation.ListBlocksResponse,
    write_request=lambda page: moderation.ListBlocksRequest(after=page[0], limit=page[1]),
    read_request=_read_page,
    write_answer=lambda blocks: moderation.ListBlocksResponse(blocks=map(_write_block, blocks)),
    read_answer=lambda answer: [_read_block(block) for block in answer.blocks],
)
WATCH_BLOCKS: Method[None, BlockChange] = Method(
    service=NAME,
    name="WatchBlocks",
    request=moderation.WatchBlocksRequest,
    response=moderation.WatchBlocksResponse,
    write_request=lambda _: moderation.WatchBlocksRequest(),
    read_request=lambda _: None,
    write_answer=_write_change,
    read_answer=_read_change,
    streams=True,
)


def _split_into_messages(contents: Sequence[Content], most: int) -> Iterator[Sequence[Content]]:
    """The contents in order, in parts that fit into a message each."""
    begin = size = 0
    for index, content in enumerate(contents):
        this = 4 * len(content.text) + 512  # at most: ids, tags and lengths included
        if index > begin and (size + this > most or index - begin == MAX_BATCH):
            yield contents[begin:index]
            begin, size = index, 0
        size += this
    yield contents[begin:]


def moderation_service(port: Moderation) -> Service:
    """The service, served by this implementation of the port."""

    async def check(content: Content) -> Finding:
        (finding,) = await port.check_contents([content])
        return finding

    async def block(order: BlockOrder) -> Block:
        user, by, reason, seconds = order
        return await port.block_user(user, by=by, reason=reason, seconds=seconds)

    async def unblock(order: UnblockOrder) -> bool:
        user, by, reason = order
        return await port.unblock_user(user, by=by, reason=reason)

    async def blocks(page: tuple[str, int]) -> Sequence[Block]:
        return await port.list_blocks(*page)

    return Service(
        NAME,
        (
            Unary(CHECK, check),
            Unary(CHECK_BATCH, port.check_contents),
            Unary(BLOCK_USER, block),
            Unary(UNBLOCK_USER, unblock),
            Unary(LIST_BLOCKS, blocks),
            Streaming(WATCH_BLOCKS, lambda _: port.watch_blocks()),
        ),
    )


class GrpcModeration:
    """The `Moderation` behind an address; see `chat.ports.moderation` for what its calls promise."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @classmethod
    @asynccontextmanager
    async def connect(cls, address: Address, settings: RpcSettings) -> AsyncIterator[Self]:
        """A client of the service at `address` . Connects when first asked, and again whenever it must."""
        async with open_caller("moderation", address, settings) as caller:
            yield cls(caller)

    async def check_contents(self, contents: Sequence[Content]) -> Sequence[Finding]:
        if not contents:
            return []
        if len(contents) == 1:
            return [await self._caller.call_unary(CHECK, contents[0])]
        findings: list[Finding] = []
        for part in _split_into_messages(contents, self._caller.max_bytes):
            found: Sequence[Finding] = await self._caller.call_unary(CHECK_BATCH, part)
            findings.extend(found)
        return findings

    async def block_user(self, user: str, *, by: str, reason: str, seconds: int | None) -> Block:
        return await self._caller.call_unary(BLOCK_USER, (user, by, reason, seconds))

    async def unblock_user(self, user: str, *, by: str, reason: str = "") -> bool:
        return await self._caller.call_unary(UNBLOCK_USER, (user, by, reason))

    async def list_blocks(self, after: str, limit: int) -> Sequence[Block]:
        return await self._caller.call_unary(LIST_BLOCKS, (after, limit))

    def watch_blocks(self) -> AbstractAsyncContextManager[AsyncIterator[BlockChange]]:
        return self._caller.watch_stream(WATCH_BLOCKS, None)
