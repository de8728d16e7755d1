"""Rule files: what they may say, and how what they may not is refused, with file and line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from chat.domain.cases import Tally
from chat.domain.moderation import Finding, Strictness, Verdict
from chat.settings import SettingsError
from services.moderation.floods import Floods
from services.moderation.policy import Policy, Step
from services.moderation.rulefile import FILE_BYTES, RuleError
from services.moderation.rules import built_in
from services.moderation.ruleset import load_rules
from tests.support.rulefiles import content, rule_set, write_rules

WORDS = """
[[rule]]
name = "rude"
kind = "words"
verdict = "remove"
words = ["badword"]
"""


def test_the_built_in_rules_can_be_used_and_their_examples_are_true() -> None:
    rules = load_rules(built_in())
    assert "slurs" in rules.names
    assert rules.policy.steps[-1].seconds is None


@pytest.mark.parametrize(
    ("toml", "line", "reason"),
    [
        ("[[rule]]\nname = 'a\n", 3, "not TOML"),
        ("colour = 1\n", 1, "`colour` is not known"),
        (WORDS + "weight = 3\n", 2, "unknown field `weight`"),
        ("\n\n[[rule]]\nname = 'x'\nkind = 'magic'\nverdict = 'flag'\n", 3, "magic"),
        ("[[rule]]\nname = 'x'\nkind = 'words'\nverdict = 'kill'\nwords = ['ab']\n", 1, "kill"),
        ("[[rule]]\nname = 'Not So'\nkind = 'words'\nverdict = 'flag'\nwords = ['ab']\n", 1, "`name`"),
        ("[[rule]]\nname = 'x'\nkind = 'words'\nverdict = 'flag'\n", 1, "no entries"),
        ("[[rule]]\nname = 'x'\nkind = 'words'\nverdict = 'flag'\nwords = [\n  'good',\n  'x',\n]\n", 7, "two letters"),
        (WORDS + WORDS, 8, "there already, at rules.toml:2"),
        (
            WORDS + '[[rule]]\nname = "p"\nkind = "patterns"\nverdict = "flag"\npatterns = [\n  "ok",\n  "(a",\n]\n',
            13,
            "RE2",
        ),
        ("[[rule]]\nname='p'\nkind='patterns'\nverdict='flag'\npatterns=['''\\pL{900}''']\n", 5, "too large"),
        ('[[rule]]\nname="p"\nkind="patterns"\nverdict="flag"\npatterns=[\n"a",\n"\\\\pL{900}"]\n', 7, "too large"),
        (
            "[[rule]]\nname='d'\nkind='domains'\nverdict='flag'\ndomains=[\n'a.example',\n'http://b.example']\n",
            7,
            "domain",
        ),
        ("[[rule]]\nname='l'\nkind='links'\nverdict='flag'\nallow=['nodot']\n", 5, "domain"),
        ("[[rule]]\nname='f'\nkind='flood'\nverdict='flag'\nmessages=0\nseconds=5\n", 1, "messages"),
        ("[[rule]]\nname='c'\nkind='classifier'\nverdict='flag'\nmodel='oracle'\nabove=0.5\n", 1, "no classifier"),
        ("[[rule]]\nname='w'\nkind='words'\nverdict='flag'\nfiles=['gone.txt']\n", 5, "cannot be read"),
        ("[[rule]]\nname='w'\nkind='words'\nverdict='flag'\nfiles=['../rules.toml']\n", 5, "must stand in the folder"),
        (WORDS + "catches = ['fine', 'a badword']\n", 7, "does not catch"),
        (WORDS + "spares = [\n  'fine',\n  'a badword',\n]\n", 9, "does not spare"),
        ("allow = ['ok', 'x']\n", 1, "two letters"),
        ("allow = 'ok'\n", 1, "list of words"),
        ("[policy]\nwindow = 'soon'\n", 1, "is no time"),
        ("[policy]\nwindow = 'forever'\n", 1, "`window`"),
        ("[policy]\nwindow = '0d'\n", 1, "is no time"),
        ("[policy]\nwindow = '999999d'\n", 1, "is no time"),
        ("[policy]\nstep = [{removals=2, block='1h'}, {removals=2, block='2h'}]\n", 1, "more removals"),
        ("[policy]\nstep = [{removals=2, block='forever'}, {removals=3, block='2h'}]\n", 1, "forever"),
        ("[policy]\nstep = [{removals=0, block='1h'}]\n", 1, "removals"),
    ],
)
def test_what_cannot_be_used_is_refused_at_its_place(tmp_path: Path, toml: str, line: int, reason: str) -> None:
    with pytest.raises(RuleError) as caught:
        rule_set(tmp_path, toml)
    assert str(caught.value).startswith(f"rules.toml:{line}: "), caught.value
    assert reason in str(caught.value)
    assert isinstance(caught.value, SettingsError)


def test_a_list_names_its_own_lines(tmp_path: Path) -> None:
    toml = WORDS.replace('words = ["badword"]', 'files = ["slurs.txt"]')
    assert rule_set(tmp_path, toml, slurs="# a comment\n\nbadword  # and one more\n").names == ["rude"]
    with pytest.raises(RuleError, match=r"^slurs\.txt:3: a word has at least two"):
        rule_set(tmp_path, toml, slurs="good\n\nx\n")
    with pytest.raises(RuleError, match=r"^slurs\.txt:1: a word has at most"):
        rule_set(tmp_path, toml, slurs="x" * 200)


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    write_rules(tmp_path, WORDS.replace('words = ["badword"]', 'files = ["slurs.txt"]'))
    (tmp_path / "slurs.txt").write_bytes(b"good\n\xff\xfe\n")
    with pytest.raises(RuleError, match=r"^slurs\.txt:2: not UTF-8"):
        load_rules(tmp_path)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    write_rules(tmp_path, WORDS.replace('words = ["badword"]', 'files = ["slurs.txt"]'))
    (tmp_path / "slurs.txt").write_bytes(b"word\n" * (FILE_BYTES // 5 + 1))
    with pytest.raises(RuleError, match=r"^rules\.toml:6: slurs.txt has more than 16 MiB"):
        load_rules(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="cannot be read"):
        load_rules(tmp_path / "gone")


def test_files_are_read_together_and_have_one_policy(tmp_path: Path) -> None:
    write_rules(tmp_path, WORDS + '[policy]\nwindow = "7d"\n')
    (tmp_path / "more.toml").write_text(WORDS.replace("rude", "ruder"))
    assert load_rules(tmp_path).names == ["ruder", "rude"]
    (tmp_path / "more.toml").write_text("[policy]\n")
    with pytest.raises(RuleError, match=r"^rules\.toml:7: another file has a policy"):
        load_rules(tmp_path)


def test_without_rules_all_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"there is no \*\.toml"):
        load_rules(tmp_path)
    rules = rule_set(tmp_path, "")
    assert rules.check_content(content("anything"), Floods()) == Finding(verdict=Verdict.ALLOW)
    assert rules.policy == Policy()


def test_policy_of_a_file(tmp_path: Path) -> None:
    policy = rule_set(
        tmp_path,
        """
        [policy]
        window = "7d"
        verdict_block = "forever"
        step = [{removals = 2, block = "30m"}, {removals = 4, block = "1d"}, {removals = 9, block = "forever"}]
        """,
    ).policy
    assert policy == Policy((Step(2, 1800), Step(4, 86_400), Step(9, None)), 7 * 86_400, None)
    assert [policy.leads_to_block(Tally(count)) for count in (1, 2, 100)] == [False, True, True]
    assert [policy.block_seconds(Tally(count)) for count in (1, 2, 3, 4, 9)] == [None, 1800, 1800, 86_400, None]
    assert policy.block_seconds(Tally(2, 1)) is None
    assert Policy(verdict_seconds=60, steps=(Step(2, 30),)).block_seconds(Tally(2, 1)) == 60


MIXED = """
allow = ["badwordington"]
[[rule]]
name = "mild"
kind = "words"
verdict = "flag"
strictness = "strict"
words = ["mild", "badword"]

[[rule]]
name = "bad"
kind = "words"
verdict = "remove"
reason = "no such words"
words = ["badword"]
allow = ["badword museum"]

[[rule]]
name = "worst"
kind = "patterns"
verdict = "block"
strictness = "relaxed"
patterns = ["WORST"]

[[rule]]
name = "domains"
kind = "domains"
verdict = "remove"
domains = ["evil.example"]

[[rule]]
name = "links"
kind = "links"
verdict = "flag"
strictness = "strict"
allow = ["good.example"]

[[rule]]
name = "flood"
kind = "flood"
verdict = "flag"
messages = 100
seconds = 1
"""


@pytest.mark.parametrize(
    ("text", "strictness", "rule", "verdict"),
    [
        ("hello", "strict", "", Verdict.ALLOW),
        ("mild", "normal", "", Verdict.ALLOW),
        ("mild", "strict", "mild", Verdict.FLAG),
        ("badword", "relaxed", "", Verdict.ALLOW),
        ("badword", "normal", "bad", Verdict.REMOVE),
        ("badword", "strict", "bad", Verdict.REMOVE),
        ("badword and WORST", "strict", "worst", Verdict.BLOCK),
        ("WORST", "relaxed", "worst", Verdict.BLOCK),
        ("badwordington", "strict", "", Verdict.ALLOW),
        ("the badword museum", "normal", "", Verdict.ALLOW),
        ("the badword museum", "strict", "mild", Verdict.FLAG),
        ("www.evil.example", "normal", "domains", Verdict.REMOVE),
        ("https://other.example", "normal", "", Verdict.ALLOW),
        ("https://other.example", "strict", "links", Verdict.FLAG),
        ("https://www.good.example and https://good.example/x", "strict", "", Verdict.ALLOW),
    ],
)
def test_the_worst_rule_that_holds_decides(
    tmp_path: Path, text: str, strictness: str, rule: str, verdict: Verdict
) -> None:
    rules = rule_set(tmp_path, MIXED)
    finding = rules.check_content(content(text, strictness=Strictness(strictness)), Floods())
    assert (finding.rule, finding.verdict) == (rule, verdict)
    assert bool(finding.reason) == bool(rule)


def test_a_reason_is_given_by_the_rule_or_in_general(tmp_path: Path) -> None:
    rules = rule_set(tmp_path, MIXED)
    assert rules.check_content(content("badword"), Floods()).reason == "no such words"
    assert rules.check_content(content("WORST"), Floods()).reason == "it breaks the rules of this chat"


class Shouting:
    """A model that scores the share of capitals."""

    def score_texts(self, texts: Sequence[str]) -> Sequence[float]:
        return [sum(map(str.isupper, text)) / max(1, len(text)) for text in texts]


CLASSIFIER = """
[[rule]]
name = "shouting"
kind = "classifier"
verdict = "flag"
model = "shouting"
above = 0.5
catches = ["HEY YOU"]
spares = ["hey you"]
"""


def test_a_classifier_scores_texts(tmp_path: Path) -> None:
    rules = load_rules(write_rules(tmp_path, CLASSIFIER), {"shouting": Shouting})
    assert list(rules.classifiers) == ["shouting"]
    assert rules.check_content(content("x"), Floods(), {"shouting": 0.5}).rule == "shouting"
    assert rules.check_content(content("x"), Floods(), {"shouting": 0.4}).rule == ""
    assert rules.check_content(content("HEY"), Floods()).rule == ""
    with pytest.raises(RuleError, match=r"^rules.toml:2: there is no classifier `shouting`: none is"):
        load_rules(tmp_path, {})


def test_a_model_that_is_not_installed_is_named(tmp_path: Path) -> None:
    def missing() -> Shouting:
        raise SettingsError("install it first")

    write_rules(tmp_path, CLASSIFIER)
    with pytest.raises(RuleError, match=r"^rules.toml:2: install it first"):
        load_rules(tmp_path, {"shouting": missing})
