"""How many messages a second does a core check against 10,000 list entries and 200 patterns; and does length cost?"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import anyio

from chat.domain.moderation import Content
from chat.engines.executor import InlineExecutor
from perf.measure import Work, compare, pin, show
from services.moderation.checker import Checker
from services.moderation.rules import Rules

BATCH = 500
_VOWELS, _CONSONANTS = "aeiou", "bcdfghjklmnprstvwz"
_SCRIPTS = (
    "Сегодня хорошая погода, пойдём гулять в парк после работы?",
    "今天天气很好，我们下班以后去公园散步吧，好吗？",
    "Já volto, só preciso de avisar a minha irmã às três.",
    "오늘 날씨가 좋네요, 퇴근하고 공원에 산책하러 갈까요?",
)


class Language:
    """Words that look like words. The first thousand are what people say; lists are made of all the others."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self._made: dict[str, None] = {}
        self.said = [self.word() for _ in range(1000)]

    def word(self) -> str:
        """A new one of four to twelve letters."""
        while True:
            length = self._random.randint(2, 6)
            made = "".join(self._random.choice(_CONSONANTS) + self._random.choice(_VOWELS) for _ in range(length))
            if made not in self._made:
                self._made[made] = None
                return made

    def messages(self, count: int, bad: Sequence[str]) -> list[Content]:
        """Of some 90 characters. One in 50 has a forbidden word, one in ten another script, one in ten numbers, one in
        twenty a link."""
        return [
            Content(conversation=f"room:{number % 100}", sender=f"s{number % 997}", client_id=str(number), text=text,
                    ts=number * 10)
            for number, text in enumerate(self._text(bad) for _ in range(count))
        ]  # fmt: skip

    def _text(self, bad: Sequence[str]) -> str:
        chance = self._random.random()
        if chance < 0.1:
            return self._random.choice(_SCRIPTS)
        words = self._random.choices(self.said, k=self._random.randint(5, 22))
        if chance < 0.12:
            words.append(self._random.choice(bad))
        elif chance < 0.22:
            words.append(f"at {self._random.randint(1, 12)}:30, {self._random.randint(2, 99)}x!")
        elif chance < 0.27:
            words.append(f"https://{self._random.choice(self.said)}.example/{self._random.randint(1, 999)}")
        return " ".join(words).capitalize() + "."


def _folder(root: Path, entries: int, patterns: int) -> tuple[Path, Language, list[str]]:
    """A folder of rules: nine tenths of the entries are words, the others domains."""
    language = Language()
    words = [language.word() for _ in range(entries - entries // 10)]
    domains = [f"{language.word()}.example" for _ in range(entries // 10)]
    expressions = [rf"(?i)\b{language.word()}\s+\d+\s+{language.word()}s?\b" for _ in range(patterns)]
    root.mkdir()
    (root / "words.txt").write_text("\n".join(words))
    (root / "domains.txt").write_text("\n".join(domains))
    (root / "rules.toml").write_text(
        f"""
        [[rule]]
        name = "words"
        kind = "words"
        verdict = "remove"
        files = ["words.txt"]
        [[rule]]
        name = "domains"
        kind = "domains"
        verdict = "flag"
        files = ["domains.txt"]
        [[rule]]
        name = "patterns"
        kind = "patterns"
        verdict = "flag"
        patterns = [{", ".join(f"'''{source}'''" for source in expressions)}]
        [[rule]]
        name = "repetition"
        kind = "repeat"
        verdict = "flag"
        times = 20
        seconds = 60
        """
    )
    return root, language, words


def _work(root: Path, entries: int, patterns: int) -> Work:
    """Checks messages in batches, as the pool asks for them; all are new, so floods are counted, too."""
    folder, language, words = _folder(root, entries, patterns)
    rules = anyio.run(lambda: Rules.open(str(folder), executor=InlineExecutor()))
    messages = language.messages(20_000, words)
    start = 0

    async def check(n: int) -> None:
        nonlocal start
        checker = Checker(rules, executor=InlineExecutor())
        removed = 0
        for first in range(0, n, BATCH):
            place = (start + first) % len(messages)
            findings = await checker.check_contents(messages[place : place + min(BATCH, n - first)])
            removed += sum(finding.rule == "words" for finding in findings)
        start += n
        assert removed, "the forbidden words must be found"

    return lambda n: anyio.run(check, n)


def main() -> None:
    """Print messages a second, and what longer lists cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=5000, help="messages a round (default: 5000)")
    arguments = parser.parse_args()
    pin()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        cases = {"100 entries": (100, 200), "1,000 entries": (1000, 200), "10,000 entries": (10_000, 200)}
        cases |= {"100,000 entries": (100_000, 200), "10,000 entries, 1 pattern": (10_000, 1)}
        rivals = {name: _work(root / str(number), *sizes) for number, (name, sizes) in enumerate(cases.items())}
        medians = compare(rivals, arguments.n, rounds=5)
    show(medians, "10,000 entries")
    for name, median in medians.items():
        print(f"{name:<40} {1_000_000 / median:8.0f} messages a second and core")


if __name__ == "__main__":
    main()
