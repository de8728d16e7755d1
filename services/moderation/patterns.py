"""Regular expressions by RE2: all of them in one pass, in time that grows with the text alone, whatever they are.

Moderators write these patterns, and everybody writes the texts. Python's `re` backtracks: one careless pattern and one
chosen text would stop the process for minutes. RE2 has automata and no backtracking; what it lacks for that
(look-around, back-references) is refused when the rules are read.

Rule 1: a pattern that RE2 does not take, or that needs too much memory, is refused when the rules are read, not when a
message comes.
Rule 2: a pattern that matches the empty text matches every message, and is refused.
Rule 3: no text makes the search raise.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import re2
from msgspec import Struct

LONGEST = 1000
_PATTERN_BYTES = 1 << 20  # what one compiled pattern may take; a pattern that needs more is refused
_SET_BYTES = 64 << 20  # the states of all of them that RE2 keeps; it begins afresh when they are more


class Pattern(Struct, frozen=True):
    """A pattern of rule number `rule`. With `folded` it is matched against the folded text, else against the text."""

    source: str
    rule: int
    folded: bool = False


def check_pattern(source: str) -> None:
    """Raises `ValueError`, with the reason, for a pattern that is invalid or too large."""
    if len(source) > LONGEST:
        raise ValueError(f"a pattern has at most {LONGEST} characters; split it")
    try:
        compiled = re2.compile(source, _re2_options(_PATTERN_BYTES))  # rule 1
    except re2.error as error:
        told = error.args[0] if error.args else ""
        reason = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
        raise ValueError(f"RE2 does not take the pattern: {reason}") from None
    except UnicodeEncodeError:
        raise ValueError("the pattern has a lone surrogate") from None
    if compiled.search("") is not None:  # rule 2
        raise ValueError("the pattern matches the empty text, so it would match every message")


class PatternSet:
    """All patterns of all rules, with flags as in the pattern: `(?i)` ignores case."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        """The patterns passed `check_pattern`. Raises `ValueError` when they are too many."""
        self._plain = _Compiled([pattern for pattern in patterns if not pattern.folded])
        self._folded = _Compiled([pattern for pattern in patterns if pattern.folded])

    def find_rules(self, text: str, folded: str, rules: Collection[int]) -> set[int]:
        """Those of these rules that have a pattern which matches somewhere."""
        return {
            rule for rule in (*self._plain.match_patterns(text), *self._folded.match_patterns(folded)) if rule in rules
        }


class _Compiled:
    """Patterns as one automaton, which reads a text once for all of them."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._rules = [pattern.rule for pattern in patterns]
        self._set = re2.Set.SearchSet(_re2_options(_SET_BYTES))
        try:
            for pattern in patterns:
                self._set.Add(pattern.source)
            self._set.Compile()
        except re2.error:
            raise ValueError("the patterns together are too large; use fewer or simpler ones") from None

    def match_patterns(self, text: str) -> list[int]:
        if not self._rules:
            return []
        # Rule 3: what the log carries is UTF-8; a lone surrogate from elsewhere must not raise.
        found = self._set.Match(text.encode(errors="replace"))
        return [self._rules[index] for index in found or ()]


def _re2_options(max_mem: int) -> re2.Options:
    options = re2.Options()
    options.max_mem = max_mem
    options.log_errors = False
    return options
