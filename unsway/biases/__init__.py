"""What must not matter: the biases, each in a file of its own.

In: a name. Out: a frozen `Bias`. `unsway.pairing` puts them to questions.

    from unsway import biases
    biases.names()                            # all of them
    biases.get("suggested_answer")            # letter and quoted text, drawn evenly
    biases.get("suggested_answer/quoted")     # held to one form

To add one, add a module here (or in a package of your own, through the entry-point group `unsway.plugins`) with one
function decorated by `@bias`.
"""

from unsway.biases.registry import Bias, Made, Skip, Substituted, all_biases, bias, get, names

__all__ = ["Bias", "Made", "Skip", "Substituted", "all_biases", "bias", "get", "names"]
