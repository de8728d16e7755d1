"""The mails about an account."""

from __future__ import annotations

from chat.texts.languages import Texts
from chat.texts.letters import Letter


def write_verification(texts: Texts, *, name: str, email: str, link: str) -> Letter:
    """Asks the owner of an address to verify it by a link."""
    _ = texts.gettext
    return Letter(
        language=texts.language,
        subject=_("Verify your e-mail address"),
        heading=_("Is this your address?"),
        paragraphs=[
            _("%(name)s gave %(email)s as their e-mail address. If that was you, verify it.", name=name, email=email),
            _("The link works once, within 24 hours."),
        ],
        button=(_("Verify the address"), link),
        notes=[_("If it was not you, ignore this mail: without the link, the address is not used.")],
    )


def write_reset(texts: Texts, *, name: str, link: str) -> Letter:
    """Brings a link to set another password."""
    _ = texts.gettext
    return Letter(
        language=texts.language,
        subject=_("Set a new password"),
        heading=_("Set a new password"),
        paragraphs=[
            _("Somebody asked for a new password for the account %(name)s. If that was you, choose one.", name=name),
            _("The link works once, within an hour. All log-ins of the account end with it."),
        ],
        button=(_("Choose a new password"), link),
        notes=[_("If it was not you, ignore this mail: your password stays as it is.")],
    )


def write_new_log_in(texts: Texts, *, name: str, when: str, agent: str, address: str, link: str) -> Letter:
    """Tells that somebody logged in on a device that was not known."""
    _ = texts.gettext
    return Letter(
        language=texts.language,
        subject=_("A new log-in to your account"),
        heading=_("A new log-in"),
        paragraphs=[
            _("Somebody logged in as %(name)s on a device that is new to us.", name=name),
            *_write_circumstances(texts, when, agent, address),
            _("If that was you, there is nothing to do. Otherwise change your password now."),
        ],
        button=(_("Open Rookery"), link),
    )


def write_password_changed(texts: Texts, *, name: str, when: str, agent: str, address: str, link: str) -> Letter:
    """Tells that the password is another one."""
    _ = texts.gettext
    return Letter(
        language=texts.language,
        subject=_("Your password was changed"),
        heading=_("Your password was changed"),
        paragraphs=[
            _("The password of the account %(name)s was changed. Other log-ins have ended.", name=name),
            *_write_circumstances(texts, when, agent, address),
            _("If that was not you, set a new password now by “Forgot password?”."),
        ],
        button=(_("Open Rookery"), link),
    )


def write_address_changed(texts: Texts, *, name: str, when: str, link: str) -> Letter:
    """Tells, at the old and the new address, that mails go elsewhere from now on."""
    _ = texts.gettext
    return Letter(
        language=texts.language,
        subject=_("Your e-mail address was changed"),
        heading=_("Your e-mail address was changed"),
        paragraphs=[
            _("The account %(name)s has another e-mail address since %(when)s.", name=name, when=when),
            _("If that was not you, change your password now, and ask the operator of this server for help."),
        ],
        button=(_("Open Rookery"), link),
    )


def _write_circumstances(texts: Texts, when: str, agent: str, address: str) -> list[str]:
    _ = texts.gettext
    lines = [_("When: %(when)s", when=when)]
    if agent:
        lines.append(_("Program: %(agent)s", agent=agent))
    if address:
        lines.append(_("From the address: %(address)s", address=address))
    return lines
