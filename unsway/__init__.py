"""unsway: measure what sways a language model's reasoning, and train it away.

    import unsway as us

    results = us.measure("openai/gpt-4o-mini", us.load("mmlu", 300), ["suggested_answer", "post_hoc"])
    results                                     # the headline and the table, in a notebook, a terminal, in Markdown
    results["post_hoc"].brr, results.frame()    # one number with its interval; a data frame
    us.report(results, "report.html")

Importing unsway loads nothing heavy; each name below is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Act": "unsway.training",
    "ActBct": "unsway.training",
    "AttCt": "unsway.training",
    "Bct": "unsway.training",
    "Bias": "unsway.biases",
    "Budget": "unsway.planning.budget",
    "Checkpoint": "unsway.types",
    "Control": "unsway.training",
    "Dpo": "unsway.training",
    "Estimate": "unsway.types",
    "Example": "unsway.types",
    "Fewshot": "unsway.interventions",
    "Local": "unsway.backends.local",
    "Measurement": "unsway.studies.measurement",
    "Method": "unsway.training",
    "MlpCt": "unsway.training",
    "Npo": "unsway.training",
    "Opct": "unsway.training",
    "Outcome": "unsway.types",
    "Pair": "unsway.types",
    "PairSet": "unsway.pairing",
    "Prompt": "unsway.types",
    "Prompted": "unsway.interventions",
    "Question": "unsway.types",
    "Reading": "unsway.types",
    "Recipe": "unsway.data",
    "Reply": "unsway.types",
    "Results": "unsway.studies.results",
    "Rewrite": "unsway.interventions",
    "Rmct": "unsway.training",
    "Sampling": "unsway.sampling",
    "Settings": "unsway.types",
    "Study": "unsway.studies",
    "Task": "unsway.studies",
    "Trained": "unsway.studies",
    "UnswayError": "unsway.errors",
    "ask": "unsway.sampling",
    "cells": "unsway.stats.estimates",
    "chart": "unsway.reporting.charts",
    "cue": "unsway.biases",
    "decided": "unsway.studies.deciding",
    "estimate": "unsway.studies",
    "fit": "unsway.training",
    "forecast": "unsway.studies.forecasting",
    "interrogate": "unsway.studies.interrogating",
    "judge": "unsway.studies.judging",
    "load": "unsway.sources",
    "measure": "unsway.studies.measuring",
    "mixture": "unsway.data",
    "monitor": "unsway.studies.monitoring",
    "next_steps": "unsway.studies.next_runs",
    "note": "unsway.studies.deciding",
    "outcomes": "unsway.stats.outcomes",
    "pairs": "unsway.pairing",
    "plan": "unsway.studies",
    "report": "unsway.reporting",
    "run": "unsway.studies",
    "score": "unsway.studies.scoring",
    "session": "unsway.models.session",
    "side_effects": "unsway.studies.side_effects",
    "train": "unsway.studies.train",
}

__all__ = sorted(_HOMES)  # still a list of strings


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'unsway' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
