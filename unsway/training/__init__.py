"""Training: methods as values, and one `fit` over whatever back-end has the weights."""

from unsway.training.fitting import check, done, examples_sha256, fit
from unsway.training.methods import method, methods
from unsway.training.methods.act import Act
from unsway.training.methods.act_bct import ActBct
from unsway.training.methods.attct import AttCt
from unsway.training.methods.bct import Bct
from unsway.training.methods.control import Control
from unsway.training.methods.dpo import Dpo
from unsway.training.methods.mlpct import MlpCt
from unsway.training.methods.npo import Npo
from unsway.training.methods.opct import Opct
from unsway.training.methods.rmct import Rmct
from unsway.training.seams import Backend, Method, Policy, Tuner, WhiteBox

__all__ = [
    "Act",
    "ActBct",
    "AttCt",
    "Backend",
    "Bct",
    "Control",
    "Dpo",
    "Method",
    "MlpCt",
    "Npo",
    "Opct",
    "Policy",
    "Rmct",
    "Tuner",
    "WhiteBox",
    "check",
    "done",
    "examples_sha256",
    "fit",
    "method",
    "methods",
]
