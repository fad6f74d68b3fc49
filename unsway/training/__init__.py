"""Training: methods as values, and one `fit` over whatever backend has the weights."""

from unsway.training.fitting import Backend, Row, check, done, examples_sha256, fit
from unsway.training.methods import METHODS, Bct, Control, Dpo, Sft, method
from unsway.training.preferences import Preference, Preferences, preferences

__all__ = [
    "METHODS",
    "Backend",
    "Bct",
    "Control",
    "Dpo",
    "Preference",
    "Preferences",
    "Row",
    "Sft",
    "check",
    "done",
    "examples_sha256",
    "fit",
    "method",
    "preferences",
]
