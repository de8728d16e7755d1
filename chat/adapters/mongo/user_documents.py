"""How a user is written in MongoDB, in the collection `users`."""

from __future__ import annotations

import msgspec

from chat.adapters.mongo.client import Document
from chat.adapters.mongo.names import display_fields
from chat.domain.models import InstanceRole, User, UserStatus
from chat.domain.text import fold_email, fold_name


def user_document(user: User, password_hash: str | None) -> Document:
    """The document of a new user."""
    document: Document = {
        "_id": user.id,
        "name": user.name,
        "folded": fold_name(user.name),
        "password_hash": password_hash,
        "created": user.created,
        "blocked": user.blocked,
    }
    if user.instance_role:
        document["instance_role"] = user.instance_role.value
    if user.display_name:
        document |= display_fields(user.display_name)
    if user.email:
        document["email"] = user.email
    if user.email and user.email_verified:
        document["folded_email"] = fold_email(user.email)
    return document


def read_user(document: Document) -> User:
    """The user that a document of `users` holds."""
    return User(
        id=document["_id"],
        name=document["name"],
        email=document.get("email"),
        email_verified="folded_email" in document,
        pending_email=document.get("pending_email"),
        created=document["created"],
        blocked=document["blocked"],
        display_name=document.get("display_name", ""),
        instance_role=InstanceRole(document["instance_role"]) if document.get("instance_role") else None,
        status=msgspec.convert(document["status"], UserStatus) if "status" in document else None,
    )
