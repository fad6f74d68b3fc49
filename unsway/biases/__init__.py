"""What must not matter to an answer: the biases, each in its own file, and cues made from a sentence.

In: a name, a sentence or a cue file. Out: a frozen `Bias`. `unsway.pairing` applies them to questions.

    from unsway import biases
        biases.names()                                                    # all of them
        biases.get("suggested_answer")                                    # draws the letter or the quoted text, evenly
        biases.get("suggested_answer/quoted")                             # only the quoted form
        biases.cue("A colleague thinks it is {answer}.", place="end")     # your own, without declaring anything

To add one by name, add a module here, or in your own package through the entry-point group `unsway.plugins`, with
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
