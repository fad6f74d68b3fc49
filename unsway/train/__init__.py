"""Training: methods as values, and one `fit` over whatever backend has the weights."""

from unsway.train.fitting import Backend, check, examples_sha256, fit
from unsway.train.methods import METHODS, Bct, Control, Sft, method

__all__ = ["METHODS", "Backend", "Bct", "Control", "Sft", "check", "examples_sha256", "fit", "method"]
