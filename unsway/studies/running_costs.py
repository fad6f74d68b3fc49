"""What questions and trainings cost in a project, estimated from its replies and runs.

In: the folders of a project, prices, and the user's costs of hours and trainings. Out: US dollars and minutes.

    ProjectPrices("runs", Costs(training=25)).of("openai/gpt-4o-mini", 200)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from unsway import layout
from unsway.errors import BadInput
from unsway.planning.history import past_runs
from unsway.planning.plan import HOSTED, LOCAL, TOKENS_OUT
from unsway.planning.prices import Price, price_of, prices
from unsway.store import replies_in
from unsway.studies.readable import read_folders

SIDES = 2
"""Calls per question: its clean and its biased side, or two arms."""
PROMPT_TOKENS = 200.0
"""Prompt tokens if no reply tells; a guess."""
GPU_HOUR = 2.0
"""Default US dollars for an hour of a local model; a guess."""
TRAINING_DOLLARS, TRAINING_HOURS = 40.0, 4.0
"""Default cost of a training; a guess, so pass your own."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What running things costs."""

    hour: float = GPU_HOUR
    """US dollars for an hour of a local model."""
    training: float = TRAINING_DOLLARS
    """US dollars for one training."""
    budget: float | None = None
    """US dollars that one step may cost; None sets no limit."""
    prices: Mapping[str, Price] = field(default_factory=prices)
    """Prices by name; the package's own table by default."""


class UnknownPrice(BadInput):
    """A model has no price, so runs that ask it cannot be ranked."""


class ProjectPrices:
    """What questions cost on a model, from the replies and runs of a project."""

    def __init__(self, project: str | Path, costs: Costs) -> None:
        self.costs = costs
        self._tokens: dict[str, list[tuple[int, int]]] = {}
        run_folders, reply_folders = (
            [path.parent for path in Path(project).glob(f"*/{name}")] for name in (layout.PAST, layout.REPLIES)
        )
        self._runs = [run for _, runs in read_folders(run_folders, past_runs) for run in runs]
        for _, replies in read_folders(reply_folders, _tokens):
            for model, tokens_in, tokens_out in replies:
                self._tokens.setdefault(model, []).append((tokens_in, tokens_out))

    def of(self, model: str, n: int, times: float = 1.0, samples: int = 1) -> tuple[float, float]:
        """US dollars and minutes for n questions with `samples` replies each; prompts are `times` as long as usual.

        Raises:
            UnknownPrice: The model has no price, which is never taken for 0.
        """
        price = price_of(model, self.costs.prices)
        if price is None:
            raise UnknownPrice(
                f"The price of {model!r} is not known. Give a file with a line for it, '{model} 0.15 0.60 2026-11' (US "
                "dollars for a million tokens in and out, and the month): --prices FILE."
            )
        tokens_in, tokens_out = np.mean(self._tokens.get(model, [(PROMPT_TOKENS, TOKENS_OUT["cot"])]), axis=0)
        calls = SIDES * n * samples
        is_local = price.name.endswith("/")
        runs = [run for run in self._runs if run.model == model and run.seconds > 0 and run.calls]
        rate = (
            sum(run.calls for run in runs) / sum(run.seconds for run in runs) if runs else LOCAL if is_local else HOSTED
        )
        minutes = calls / rate / 60 * (times if is_local else 1.0)
        dollars = price.of(calls * tokens_in * times, calls * tokens_out) + (
            minutes / 60 * self.costs.hour if is_local else 0
        )
        return float(dollars), float(minutes)


def _tokens(folder: Path) -> list[tuple[str, int, int]]:
    """Model, tokens in and tokens out of each reply of a folder with reported token counts."""
    replies = (reply for reply in replies_in(folder / layout.REPLIES) if reply.tokens_in and not reply.tokens_estimated)
    return [(reply.model, reply.tokens_in, reply.tokens_out) for reply in replies]
