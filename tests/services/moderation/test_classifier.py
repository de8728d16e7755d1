"""The classifier that can be installed, where it is."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from chat.settings import SettingsError
from services.moderation.classifier import MODELS, ProfanityCheck

INSTALLED = find_spec("profanity_check") is not None


@pytest.mark.skipif(INSTALLED, reason="the extra rookery[classifier] is installed")
def test_without_the_extra_the_model_says_what_to_install() -> None:
    with pytest.raises(SettingsError, match=r"pip install 'rookery\[classifier\]'"):
        ProfanityCheck()


@pytest.mark.skipif(not INSTALLED, reason="the extra rookery[classifier] is not installed")
def test_the_model_tells_abuse_from_kindness() -> None:
    model = MODELS["profanity"]()
    kind, abusive = model.scores(["have a nice day", "fuck you, you idiot"])
    assert 0 <= kind < 0.3
    assert 0.7 < abusive <= 1
    assert model.scores([]) == []
