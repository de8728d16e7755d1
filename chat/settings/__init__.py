"""The settings of a process: what there is (`groups`), and how they are read from the environment (`reading`)."""

from chat.settings.edge import EdgeSettings
from chat.settings.extras import Extra, MissingExtra, require_extra
from chat.settings.groups import (
    LONGEST_TOKEN_SECONDS,
    AccountSettings,
    Binding,
    EmbeddedSettings,
    HttpSettings,
    KafkaSettings,
    ModerationSettings,
    MongoSettings,
    RedisSettings,
    RpcSettings,
    Settings,
    TokenSettings,
)
from chat.settings.limits import LimitSettings
from chat.settings.mail import MailSettings, SmtpServer
from chat.settings.push import PushSettings, WebhookSettings
from chat.settings.reading import Variable, list_variables, read_settings, try_settings
from chat.settings.retention import RetentionSettings
from chat.settings.tracing import TracingSettings
from chat.settings.values import Address, IpNetwork, SettingsError, parse_address, parse_network

__all__ = [
    "LONGEST_TOKEN_SECONDS",
    "AccountSettings",
    "Address",
    "Binding",
    "EdgeSettings",
    "EmbeddedSettings",
    "Extra",
    "HttpSettings",
    "IpNetwork",
    "KafkaSettings",
    "LimitSettings",
    "MailSettings",
    "MissingExtra",
    "ModerationSettings",
    "MongoSettings",
    "PushSettings",
    "RedisSettings",
    "RetentionSettings",
    "RpcSettings",
    "Settings",
    "SettingsError",
    "SmtpServer",
    "TokenSettings",
    "TracingSettings",
    "Variable",
    "WebhookSettings",
    "list_variables",
    "parse_address",
    "parse_network",
    "read_settings",
    "require_extra",
    "try_settings",
]
