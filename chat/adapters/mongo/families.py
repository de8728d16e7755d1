"""Families of refresh tokens in MongoDB, as documents.

A family of refresh tokens is one document of `families`, with its tokens in a list, the newest last. To replace a
token, the document is read, `chat.domain.token_families` decides, and one write stores the outcome if the document's
`revision` is still the same. That is atomic without a transaction, which would cost more. A family remembers its last
1,000 tokens; one that is older is unknown, and of no use to who has it, but its reuse no longer ends the family.
"""

from __future__ import annotations

from chat.adapters.mongo.client import Document
from chat.domain.token_families import PresentedToken
from chat.ports.accounts import OpenLogIn, RefreshGrant

TOKENS_KEPT = 1000


def make_token(digest: bytes, expires: int) -> Document:
    """A token as a family has it: in use."""
    return {"digest": digest, "expires": expires, "replaced": 0}


def _find(family: Document, digest: bytes) -> Document:
    found: Document = next(token for token in family["tokens"] if token["digest"] == digest)
    return found


def read_grant(family: Document, digest: bytes) -> RefreshGrant:
    """One of the family's tokens."""
    expires = _find(family, digest)["expires"]
    begun, agent = family.get("begun", 0), family.get("agent", "")
    return RefreshGrant(digest, family["_id"], family["user"], expires, begun, agent)


def read_log_in(family: Document) -> OpenLogIn:
    """The family as users see it."""
    begun = family.get("begun", 0)
    used = max(begun, *(int(token["replaced"]) for token in family["tokens"]))
    return OpenLogIn(family["_id"], begun, used, family.get("agent", ""))


def read_token(family: Document, digest: bytes) -> PresentedToken:
    """What the decision needs to know of a token."""
    times = [int(token["replaced"]) for token in family["tokens"]]
    token = _find(family, digest)
    return PresentedToken(
        expires=token["expires"], replaced=int(token["replaced"]), newest=max(times), in_use=times.count(0)
    )


def has_token(family: Document, digest: bytes) -> bool:
    """Whether the family has this token."""
    return any(token["digest"] == digest for token in family["tokens"])


def replace_tokens(family: Document, replaced: int | None, successor: bytes, expires: int) -> list[Document]:
    """The update that adds the successor, unless the family has another revision than the one that was read. With
    `replaced`, the tokens in use were replaced then. The comparison stands in the update and not in the filter, because
    a filter by the id alone is the cheapest of all."""
    tokens: list[Document] = [*family["tokens"], make_token(successor, expires)]
    if replaced is not None:
        tokens[:-1] = [token if token["replaced"] else {**token, "replaced": replaced} for token in tokens[:-1]]
    revision = family.get("revision", 0)
    same = {"$eq": [{"$ifNull": ["$revision", 0]}, revision]}
    change: Document = {
        "tokens": tokens[-TOKENS_KEPT:],
        "expires": max(family["expires"], expires),
        "revision": revision + 1,
    }
    outcome = {"$switch": {"branches": [{"case": same, "then": change}], "default": {}}}
    return [{"$replaceWith": {"$mergeObjects": ["$$ROOT", outcome]}}]
