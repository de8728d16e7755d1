"""A slot for a model that scores texts. Rules of the kind `classifier` name one, and the score from which they hold."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Protocol

from chat.settings import MissingExtra


class Classifier(Protocol):
    """A model. It runs in a thread, one batch at a time."""

    def score_texts(self, texts: Sequence[str]) -> Sequence[float]:
        """Of each text, from 0 (surely harmless) to 1. Raises nothing for any text."""
        ...


class ProfanityCheck:
    """English profanity by a linear model over words (`alt-profanity-check`), on the CPU.

    It comes with the extra `rookery[classifier]`, and is loaded when a rule names it. Raises `MissingExtra` without
    the extra.
    """

    def __init__(self) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the libraries' own futures; nothing that a moderator could change
                module = import_module("profanity_check")
        except ImportError:
            raise MissingExtra(
                "a rule uses the classifier `profanity`, which is not installed: pip install 'rookery[classifier]', "
                "or remove the rule"
            ) from None
        self._predict = module.predict_prob

    def score_texts(self, texts: Sequence[str]) -> Sequence[float]:
        """The probability of each text that it is profane, from 0 to 1."""
        return [float(score) for score in self._predict(list(texts))] if texts else []


MODELS: Mapping[str, Callable[[], Classifier]] = {"profanity": ProfanityCheck}
"""The models that a rule may name."""
