"""The settings of push and of webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from msgspec import Struct

from chat.domain.push import PUSH_SERVICES, check_push_host
from chat.settings.values import Setting

SECRET_LENGTH = 16


class PushSettings(Struct, frozen=True, kw_only=True):
    """Push to browsers that are closed (WebPush)."""

    enabled: Annotated[
        bool, Setting("notify browsers by push; `serve` makes the keys for it when it starts", variable="PUSH")
    ] = True
    vapid_keys: Annotated[
        tuple[str, ...],
        Setting(
            "the private keys by which push services know this server, as `rookery vapid generate` prints them: the "
            "first one for new subscriptions, the others for those that were made with them",
            pattern=r"[A-Za-z0-9_-]{43}",
            hint="keys as `rookery vapid generate` prints them, separated by commas",
            secret=True,
        ),
    ] = ()
    push_contact: Annotated[
        str,
        Setting(
            "whom a push service writes to when something is wrong, `mailto:ADDRESS` or an https URL; by default "
            "ROOKERY_PUBLIC_URL",
            pattern=r"mailto:[^\s@]+@[^\s@]+\.[^\s@]+|https://[^\s/]+\S*",
            hint="mailto:admin@example.org or an https URL",
        ),
    ] = ""
    push_hosts: Annotated[
        tuple[str, ...],
        Setting(
            "further push services, such as `push.example.org` or `*.example.org`; `127.0.0.1:PORT` is one for tests, "
            "by http"
        ),
    ] = ()
    push_concurrency: Annotated[
        int, Setting("requests to one push service at once, so that a slow one delays no other", ge=1, le=1000)
    ] = 16
    push_timeout_seconds: Annotated[
        float, Setting("how long a push service may take for an answer; then the push is tried again later", gt=0)
    ] = 10.0

    def __repr__(self) -> str:
        return f"PushSettings(enabled={self.enabled}, {len(self.vapid_keys)} keys)"  # never a key

    @property
    def services(self) -> tuple[str, ...]:
        """The hosts of push services, in lower case."""
        return (*(host.lower() for host in self.push_hosts), *PUSH_SERVICES)


class WebhookSettings(Struct, frozen=True, kw_only=True):
    """Notifications for a program of the operator's."""

    prefix_of_variables: ClassVar[str] = "WEBHOOK_"

    url: Annotated[
        str,
        Setting(
            "where notifications are posted to, signed, for a program of yours that hands them on (FCM, APNs, a bot)",
            pattern=r"https?://[^\s/@]+(/\S*)?",
            hint="a URL such as https://hooks.example.org/rookery",
        ),
    ] = ""
    secret: Annotated[
        str, Setting(f"the secret that signs them, of {SECRET_LENGTH} characters or more", secret=True)
    ] = ""
    private: Annotated[
        bool, Setting("the URL may lead to a private address of your network or of this machine, and by http")
    ] = False
    timeout_seconds: Annotated[float, Setting("how long the receiver may take for an answer", gt=0)] = 10.0

    def __repr__(self) -> str:
        return f"WebhookSettings({self.url!r})"  # never the secret


def check_push(push: PushSettings, webhook: WebhookSettings) -> Iterator[str]:
    """What is wrong with the settings of push and of webhooks."""
    for host in push.push_hosts:
        try:
            check_push_host(host)
        except ValueError as error:
            yield f"ROOKERY_PUSH_HOSTS={host!r}: give {error}"
    if webhook.url and len(webhook.secret) < SECRET_LENGTH:
        yield f"ROOKERY_WEBHOOK_SECRET: give a secret of {SECRET_LENGTH} characters or more, which the receiver knows"
    if webhook.url and urlsplit(webhook.url).scheme == "http" and not webhook.private:
        yield "ROOKERY_WEBHOOK_URL: give an https URL, or set ROOKERY_WEBHOOK_PRIVATE=on for one of your own network"
