"""The commands of Rookery in the documents can be typed as they stand."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from rookery.cli.parser import make_parser
from rookery.cli.topics import TOPICS
from tests.docs.test_documents import DOCUMENTS, ROOT

_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`(rookery [a-z][^`]*)`")
_SUBSTITUTION = re.compile(r"\$\([^)]*\)")
_ENDS = {"&&", "&", "|", ";", "||"}


def list_commands(text: str, *, inline: bool) -> Iterator[list[str]]:
    """The arguments of each call of `rookery` in the blocks of shell; with `inline`, of those between words, too."""
    lines = [line for block in _BLOCK.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    for line in [*lines, *(_INLINE.findall(text) if inline else ())]:
        lexer = shlex.shlex(_SUBSTITUTION.sub("X", line), posix=True, punctuation_chars="&|;")
        lexer.whitespace_split = True
        words = list(lexer)
        for start, word in enumerate(words):
            if word.rpartition("/")[2] == "rookery" and (start == 0 or words[start - 1] in {*_ENDS, "--"}):
                rest = words[start + 1 :]
                yield rest[: next((at for at, each in enumerate(rest) if each in _ENDS), len(rest))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_are_understood(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in list_commands(document.read_text(), inline=document.parent.name == "runbooks"):
        if "--help" in arguments:
            continue
        try:
            options = make_parser().parse_args(arguments)
        except SystemExit:
            pytest.fail(f"rookery {shlex.join(arguments)}: {capsys.readouterr().err}")
        if arguments[:2] == ["dead-letters", "replay"]:
            assert options.topic in TOPICS, arguments


def test_commands_are_found() -> None:
    shell = "A=1\nx && scripts/rookery db migrate   # once\nkubectl exec a -- rookery vapid \\\n  generate | cat\n"
    text = f"```sh\n{shell}```"
    assert list(list_commands(text, inline=False)) == [["db", "migrate"], ["vapid", "generate"]]
    assert list(list_commands("run `rookery db restored` then", inline=True)) == [["db", "restored"]]
