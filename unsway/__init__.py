"""unsway: measure what sways a language model's reasoning, and train it away.

    from unsway.sources import load
    from unsway.pairing import pairs
    from unsway.sampling import run
    from unsway.stats.estimates import cells
    from unsway.stats.outcomes import outcomes

    asked = pairs(load("mmlu", n=300), ["suggested_answer", "distractor_fact"])
    replies = run(asked, "openai/gpt-4o-mini")
    cells(outcomes(asked, replies))     # one cell a bias: n, excluded and why, BRR with its interval, switches

Importing unsway loads nothing heavy; the names below are found when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Bct": "unsway.training",
    "Checkpoint": "unsway.types",
    "Control": "unsway.training",
    "Estimate": "unsway.types",
    "Example": "unsway.types",
    "Outcome": "unsway.types",
    "Pair": "unsway.types",
    "Prompt": "unsway.types",
    "Question": "unsway.types",
    "Recipe": "unsway.data",
    "Reply": "unsway.types",
    "Settings": "unsway.types",
    "UnswayError": "unsway.errors",
    "ask": "unsway.sampling",
    "cells": "unsway.stats.estimates",
    "chart": "unsway.reporting.charts",
    "cue": "unsway.biases",
    "fit": "unsway.training",
    "load": "unsway.sources",
    "mixture": "unsway.data",
    "outcomes": "unsway.stats.outcomes",
    "report": "unsway.reporting",
    "session": "unsway.models.session",
}

__all__ = sorted(_HOMES)  # strings all the same


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'unsway' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
