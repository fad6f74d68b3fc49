"""Training: methods as values, and one `fit` over whatever back-end has the weights."""

from unsway.training.fitting import check, done, examples_sha256, fit
from unsway.training.methods import method, methods
from unsway.training.methods.bct import Bct
from unsway.training.methods.control import Control
from unsway.training.methods.dpo import Dpo
from unsway.training.seams import Backend, Method, Policy, Tuner, WhiteBox

__all__ = [
    "Backend",
    "Bct",
    "Control",
    "Dpo",
    "Method",
    "Policy",
    "Tuner",
    "WhiteBox",
    "check",
    "done",
    "examples_sha256",
    "fit",
    "method",
    "methods",
]
