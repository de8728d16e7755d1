"""Rules made ready: what a content is checked against, and the finding.

Every kind of rule has one index for all its rules (words, patterns, domains), so that a text is read once for each
kind, however many rules there are. A rule is a number here: its place in the files.

Rule 1: of several rules that a content breaks, the severest verdict counts; of several as severe, the first in the
files.
Rule 2: a rule holds in a room that is at least as strict as the rule says.
Rule 3: a rule's own examples are tried when the rules are read; rules whose examples are not true are refused, and
those that held before stay.
Rule 4: floods count a content whatever it says and wherever it is said; see `floods`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources.abc import Traversable
from typing import TypeVar

from chat.domain.moderation import Content, Finding, Strictness, Verdict
from chat.settings import SettingsError
from services.moderation.classifier import MODELS, Classifier
from services.moderation.floods import Floods, Limit, Measure
from services.moderation.folding import fold_text
from services.moderation.links import DomainIndex, check_domain, domain_forms, find_hosts, find_links, parent_domains
from services.moderation.patterns import Pattern, PatternSet, check_pattern
from services.moderation.policy import Policy
from services.moderation.rulefile import (
    AnyRule,
    Copies,
    Domains,
    Flood,
    Line,
    Links,
    Loaded,
    Patterns,
    Repeat,
    RuleError,
    RuleFiles,
    Score,
    Words,
    read_folder,
)
from services.moderation.words import Entry, WordIndex, parse_word

ALLOWED = Finding(verdict=Verdict.ALLOW)
_SEVERITY = {verdict: number for number, verdict in enumerate(Verdict)}
_LEVEL = {strictness: number for number, strictness in enumerate(Strictness)}
_REASON = "it breaks the rules of this chat"

T = TypeVar("T")
Models = Mapping[str, Callable[[], Classifier]]


class RuleSet:
    """All rules, compiled. Raises `RuleError` for what cannot be used, and when an example of a rule is not true."""

    def __init__(self, files: RuleFiles, models: Models = MODELS) -> None:
        self._rules: Sequence[AnyRule] = [loaded.rule for loaded in files.rules]
        self.policy: Policy = files.policy
        self._live = {level: self._rules_at(level) for level in Strictness}
        self._words = _word_index(files)
        self._patterns = _pattern_set(files)
        self._domains = _domain_index(files)
        self._links = _allowed_links(files)
        self.limits = _make_limits(self._rules)
        self.classifiers = _load_classifiers(files, models)
        for loaded in files.rules:
            self._try_examples(loaded)  # rule 3

    @property
    def names(self) -> Sequence[str]:
        """The names of the rules, in the order of the files."""
        return [rule.name for rule in self._rules]

    def check_content(self, content: Content, floods: Floods, scores: Mapping[str, float] | None = None) -> Finding:
        """The severest verdict of the rules on a content, which is counted towards floods.

        `scores` are those of `classifiers` for this text.
        """
        live = self._live[content.strictness]
        folded = fold_text(content.text)
        found = self._of_text(content.text, folded, live)
        found |= floods.find_exceeded(content, folded, self.limits, live)  # rule 4
        for name, score in (scores or {}).items():
            found |= {rule for rule in live if self._is_over(rule, name, score)}
        if not found:
            return ALLOWED
        worst = min(found, key=lambda rule: (-_SEVERITY[self._rules[rule].verdict], rule))  # rule 1
        rule = self._rules[worst]
        return Finding(verdict=rule.verdict, rule=rule.name, reason=rule.reason or _REASON)

    def _of_text(self, text: str, folded: str, live: frozenset[int]) -> set[int]:
        found = self._words.find_rules(folded, live)
        found |= self._patterns.find_rules(text, folded, live)
        if self._domains is not None:
            names = find_hosts(text)
            if names:
                found |= self._domains.find_rules(names, live)
        if self._links:
            targets = find_links(text)
            for rule, allowed in self._links.items() if targets else ():
                if rule in live and any(allowed.isdisjoint(parent_domains(target)) for target in targets):
                    found.add(rule)
        return found

    def _is_over(self, rule: int, model: str, score: float) -> bool:
        wanted = self._rules[rule]
        return isinstance(wanted, Score) and wanted.model == model and score >= wanted.above

    def _rules_at(self, level: Strictness) -> frozenset[int]:
        # rule 2
        return frozenset(number for number, rule in enumerate(self._rules) if _LEVEL[rule.strictness] <= _LEVEL[level])

    def _try_examples(self, loaded: Loaded) -> None:
        rule = loaded.rule
        number = self.names.index(rule.name)
        for text, expected in [*((text, True) for text in rule.catches), *((text, False) for text in rule.spares)]:
            if self._rule_catches(number, text) is not expected:
                what = "does not catch" if expected else "does not spare"
                raise RuleError(
                    loaded.source.find_value(text, loaded.index), f"the rule `{rule.name}` {what} this example"
                )

    def _rule_catches(self, number: int, text: str) -> bool:
        rule = self._rules[number]
        if isinstance(rule, Score):
            return float(self.classifiers[rule.model].score_texts([text])[0]) >= rule.above
        return number in self._of_text(text, fold_text(text), frozenset({number}))


def load_rules(folder: Traversable, models: Models = MODELS) -> RuleSet:
    """The rules of a folder. Raises `RuleError`, naming file and line."""
    return RuleSet(read_folder(folder), models)


def _word_index(files: RuleFiles) -> WordIndex:
    entries: list[Entry] = []
    for number, loaded in enumerate(files.rules):
        if isinstance(loaded.rule, Words):
            entries += [Entry(_check_line(line, parse_word), number) for line in loaded.entries]
            entries += [Entry(_check_line(line, parse_word), number, allowed=True) for line in loaded.allowed]
    entries += [Entry(_check_line(line, parse_word), None, allowed=True) for line in files.allowed]
    return WordIndex(entries)


def _pattern_set(files: RuleFiles) -> PatternSet:
    patterns: list[Pattern] = []
    last = None
    for number, loaded in enumerate(files.rules):
        if isinstance(loaded.rule, Patterns):
            for line in loaded.entries:
                _check_line(line, check_pattern)
                patterns.append(Pattern(line.text, number, loaded.rule.folded))
                last = line
    try:
        return PatternSet(patterns)
    except ValueError as error:
        assert last is not None  # noqa: S101 - no pattern, no error
        raise RuleError(last.where, str(error)) from None


def _domain_index(files: RuleFiles) -> DomainIndex | None:
    domains: dict[str, set[int]] = {}
    for number, loaded in enumerate(files.rules):
        if isinstance(loaded.rule, Domains):
            for line in loaded.entries:
                domains.setdefault(_check_line(line, check_domain), set()).add(number)
    return DomainIndex(domains) if domains else None


def _allowed_links(files: RuleFiles) -> dict[int, frozenset[str]]:
    return {
        number: frozenset().union(*(domain_forms(_check_line(line, check_domain)) for line in loaded.allowed))
        for number, loaded in enumerate(files.rules)
        if isinstance(loaded.rule, Links)
    }


def _make_limits(rules: Sequence[AnyRule]) -> Sequence[Limit]:
    found: list[Limit] = []
    for number, rule in enumerate(rules):
        if isinstance(rule, Flood):
            of = (Measure.FLOOD, rule.messages, 0)
        elif isinstance(rule, Repeat):
            of = (Measure.REPEAT, rule.times, rule.shortest)
        elif isinstance(rule, Copies):
            of = (Measure.COPIES, rule.senders, rule.shortest)
        else:
            continue
        measure, most, shortest = of
        found.append(
            Limit(
                name=rule.name,
                rule=number,
                measure=measure,
                most=most,
                seconds=rule.seconds,
                shortest=shortest,
                once=rule.verdict is Verdict.FLAG,
            )
        )
    return found


def _load_classifiers(files: RuleFiles, models: Models) -> dict[str, Classifier]:
    found: dict[str, Classifier] = {}
    for loaded in files.rules:
        rule = loaded.rule
        if not isinstance(rule, Score) or rule.model in found:
            continue
        if rule.model not in models:
            raise RuleError(loaded.where, f"there is no classifier `{rule.model}`: {', '.join(models) or 'none'} is")
        try:
            found[rule.model] = models[rule.model]()
        except SettingsError as error:
            raise RuleError(loaded.where, str(error)) from None
    return found


def _check_line(line: Line, check: Callable[[str], T]) -> T:
    try:
        return check(line.text)
    except ValueError as error:
        raise RuleError(line.where, str(error)) from None
