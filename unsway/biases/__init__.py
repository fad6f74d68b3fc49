"""What must not matter: the biases, each in a file of its own, and cues made from a sentence.

In: a name, a sentence or a cue file. Out: a frozen `Bias`. `unsway.pairing` puts them to questions.

    from unsway import biases
    biases.names()                                                    # all of them
    biases.get("suggested_answer")                                    # letter and quoted text, drawn evenly
    biases.get("suggested_answer/quoted")                             # held to one form
    biases.cue("A colleague thinks it is {answer}.", place="end")     # yours, without declaring anything

To add one by name, add a module here, or in a package of your own through the entry-point group `unsway.plugins`, with
one function decorated by `@bias`.
"""

from unsway.biases.cues import BIAS, cue, from_definition, read_cue, resolve
from unsway.biases.definition import Cue
from unsway.biases.registry import Bias, Made, Skip, Substituted, all_biases, bias, get, names, rule_of

__all__ = [
    "BIAS",
    "Bias",
    "Cue",
    "Made",
    "Skip",
    "Substituted",
    "all_biases",
    "bias",
    "cue",
    "from_definition",
    "get",
    "names",
    "read_cue",
    "resolve",
    "rule_of",
]
