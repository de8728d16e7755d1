"""The classifier that can be installed, where it is."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from services.moderation.classifier import MODELS

INSTALLED = find_spec("profanity_check") is not None
# To the import system, a module that is None is one that is not there.
WITHOUT = """
import sys
sys.modules["profanity_check"] = None
from services.moderation.classifier import ProfanityCheck
ProfanityCheck()
"""


def test_without_the_extra_the_model_says_what_to_install() -> None:
    told = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=60, check=False)
    assert "MissingExtra" in told.stderr
    assert "pip install 'rookery[classifier]'" in told.stderr


@pytest.mark.skipif(not INSTALLED, reason="needs the extra rookery[classifier]")
def test_the_model_tells_abuse_from_kindness() -> None:
    model = MODELS["profanity"]()
    kind, abusive = model.score_texts(["have a nice day", "fuck you, you idiot"])
    assert 0 <= kind < 0.3
    assert 0.7 < abusive <= 1
    assert model.score_texts([]) == []
