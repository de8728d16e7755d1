"""The files that moderators write: rules, lists and the policy. What cannot be used is refused, naming file and line.

A folder of rules holds any number of `*.toml`, read by name. Lists stand in files of their own where a rule says so,
one entry a line; `#` begins a comment. `docs/moderation.md` shows how to write them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from importlib.resources.abc import Traversable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from chat.domain.moderation import Strictness, Verdict
from chat.settings import SettingsError
from services.moderation.policy import Policy, PolicyFile, read_policy

FILE_BYTES = 16 << 20
ENTRIES = 1_000_000
RULES = 1000

Count = Annotated[int, Meta(ge=1, le=10_000)]
Seconds = Annotated[float, Meta(gt=0, le=7 * 24 * 3600)]
Share = Annotated[float, Meta(gt=0, le=1)]


class RuleError(SettingsError):
    """The rules cannot be used; the message begins with the file and the line."""

    def __init__(self, where: Where, reason: str) -> None:
        super().__init__(f"{where}: {reason}")


class Where(Struct, frozen=True):
    """A place in a file."""

    file: str
    line: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Rule(Struct, tag_field="kind", forbid_unknown_fields=True, kw_only=True):
    """What all rules have. `catches` and `spares` are examples; they are tried when the rules are loaded."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    verdict: Verdict
    strictness: Strictness = Strictness.NORMAL
    reason: Annotated[str, Meta(max_length=200)] = ""
    catches: tuple[str, ...] = ()
    spares: tuple[str, ...] = ()


class Words(Rule, tag="words", kw_only=True):
    """Words and phrases; see `services.moderation.words`."""

    words: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()


class Patterns(Rule, tag="patterns", kw_only=True):
    """Regular expressions of RE2. With `folded`, they see the text without case, marks and look-alikes."""

    patterns: tuple[str, ...]
    folded: bool = False


class Domains(Rule, tag="domains", kw_only=True):
    """Domains, and all below them."""

    domains: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class Links(Rule, tag="links", kw_only=True):
    """Every link, but to the allowed domains."""

    allow: tuple[str, ...] = ()


class Flood(Rule, tag="flood", kw_only=True):
    """More than so many messages of a sender in so many seconds."""

    messages: Count
    seconds: Seconds


class Repeat(Rule, tag="repeat", kw_only=True):
    """The same text more than so many times by one sender; texts of fewer letters than `shortest` do not count."""

    times: Count
    seconds: Seconds
    shortest: int = 8


class Copies(Rule, tag="copies", kw_only=True):
    """The same text by more than so many senders."""

    senders: Count
    seconds: Seconds
    shortest: int = 20


class Score(Rule, tag="classifier", kw_only=True):
    """A model's score that is at least `above`."""

    model: str
    above: Share


AnyRule = Words | Patterns | Domains | Links | Flood | Repeat | Copies | Score


class Line(Struct, frozen=True):
    """An entry of a list, and where it stands."""

    text: str
    where: Where


class Source:
    """A TOML file of rules, which knows where things stand in it."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._lines = text.splitlines()
        self._rules = [number for number, line in enumerate(self._lines, 1) if re.match(r"\s*\[\[\s*rule\s*\]\]", line)]

    def find_rule(self, index: int) -> Where:
        """Where rule number `index` begins."""
        return Where(self.name, self._rules[index] if index < len(self._rules) else 1)

    def find_value(self, value: str, rule: int | None = None) -> Where:
        """Where a string stands: in this rule, or anywhere. The nearest place that can be told."""
        start = self.find_rule(rule).line if rule is not None else 1
        after = self._rules[rule + 1] if rule is not None and rule + 1 < len(self._rules) else len(self._lines) + 1
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        for number in range(start, after):
            line = self._lines[number - 1]
            if re.match(r"\s*(name|kind|verdict|reason)\s*=", line):
                continue
            if f"'{value}'" in line or f'"{escaped}"' in line or value.strip() == line.strip():
                return Where(self.name, number)
        return Where(self.name, start)


class Loaded(Struct, frozen=True):
    """A rule with its lists: entries, and what it allows."""

    rule: AnyRule
    where: Where
    source: Source
    index: int
    entries: tuple[Line, ...] = ()
    allowed: tuple[Line, ...] = ()


class RuleFiles(Struct, frozen=True):
    """All that a folder says."""

    rules: tuple[Loaded, ...]
    allowed: tuple[Line, ...]
    policy: Policy


def read_folder(folder: Traversable) -> RuleFiles:
    """All rules of a folder. Raises `RuleError`."""
    rules: list[Loaded] = []
    allowed: list[Line] = []
    policy: Policy | None = None
    try:
        files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    except OSError as error:
        raise RuleError(Where(str(folder)), f"the folder of rules cannot be read: {error.strerror}") from None
    if not files:
        raise RuleError(Where(str(folder)), "there is no *.toml in the folder of rules; an empty one has no rules")
    for file in files:
        source, content = _parse_file(file)
        for index, raw in enumerate(content.pop("rule", [])):
            rules.append(_load_rule(folder, source, index, raw))
        allowed += [Line(text, source.find_value(text)) for text in _convert_words(source, content.pop("allow", []))]
        if "policy" in content:
            if policy is not None:
                raise RuleError(source.find_value("[policy]"), "another file has a policy already; keep one")
            policy = _convert_policy(source, content.pop("policy"))
        if content:
            unknown = next(iter(content))
            reason = f"`{unknown}` is not known here: a file has [[rule]], allow and [policy]"
            raise RuleError(source.find_value(unknown), reason)
    _check_all(rules)
    return RuleFiles(tuple(rules), tuple(allowed), policy or Policy())


def _parse_file(file: Traversable) -> tuple[Source, dict[str, Any]]:
    text = _read_file(file, Where(file.name))
    try:
        return Source(file.name, text), tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise RuleError(
            Where(file.name, int(line[1]) if line else text.count("\n") + 1), f"not TOML: {error}"
        ) from None


def _read_file(file: Traversable, where: Where) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(FILE_BYTES + 1)
        if len(content) > FILE_BYTES:
            raise RuleError(where, f"{file.name} has more than {FILE_BYTES >> 20} MiB; split it")
        return content.decode()
    except OSError as error:
        raise RuleError(where, f"{file.name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise RuleError(Where(file.name, line), "not UTF-8") from None


def _load_rule(folder: Traversable, source: Source, index: int, raw: Any) -> Loaded:
    where = source.find_rule(index)
    try:
        rule: AnyRule = msgspec.convert(raw, AnyRule)
    except msgspec.ValidationError as error:
        told = str(error).replace(" - at `$.", " - in `").replace(" - at `$`", "")
        raise RuleError(where, told[:1].lower() + told[1:]) from None
    entries: list[Line] = []
    if isinstance(rule, Words | Domains):
        given = rule.words if isinstance(rule, Words) else rule.domains
        entries += [Line(text, source.find_value(text, index)) for text in given]
        for name in rule.files:
            entries += _read_list(folder, name, source.find_value(name, index))
    elif isinstance(rule, Patterns):
        entries += [Line(text, source.find_value(text, index)) for text in rule.patterns]
    if isinstance(rule, Words | Domains | Patterns) and not entries:
        raise RuleError(where, f"the rule `{rule.name}` has no entries")
    allow = rule.allow if isinstance(rule, Words | Links) else ()
    allowed = tuple(Line(text, source.find_value(text, index)) for text in allow)
    return Loaded(rule, where, source, index, tuple(entries), allowed)


def _read_list(folder: Traversable, name: str, where: Where) -> Iterator[Line]:
    """The entries of a list's file, which stands in the folder or below it."""
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or not name:
        raise RuleError(where, f"the list `{name}` must stand in the folder of the rules: give its path from there")
    file = folder
    for part in parts:
        file = file / part
    for number, line in enumerate(_read_file(file, where).splitlines(), 1):
        entry = line.partition("#")[0].strip()
        if entry:
            yield Line(entry, Where(name, number))


def _convert_words(source: Source, raw: Any) -> Sequence[str]:
    try:
        return msgspec.convert(raw, list[str])
    except msgspec.ValidationError:
        raise RuleError(source.find_value("allow"), "`allow` is a list of words") from None


def _convert_policy(source: Source, raw: Any) -> Policy:
    try:
        return read_policy(msgspec.convert(raw, PolicyFile))
    except (msgspec.ValidationError, ValueError) as error:
        raise RuleError(source.find_value("[policy]"), f"in [policy]: {error}") from None


def _check_all(rules: Sequence[Loaded]) -> None:
    if len(rules) > RULES:
        raise RuleError(rules[RULES].where, f"there are more than {RULES} rules")
    names: dict[str, Where] = {}
    entries = 0
    for loaded in rules:
        name = loaded.rule.name
        if name in names:
            raise RuleError(loaded.where, f"the rule `{name}` is there already, at {names[name]}; names are unique")
        names[name] = loaded.where
        entries += len(loaded.entries)
        if entries > ENTRIES:
            raise RuleError(loaded.where, f"all lists together have more than {ENTRIES} entries")
