"""What must not matter: each bias is one decorated function in one file; nothing else lists them."""

from unsway.biases.registry import Bias, Build, Skip, Substitution, all_biases, bias, get, names

__all__ = ["Bias", "Build", "Skip", "Substitution", "all_biases", "bias", "get", "names"]
