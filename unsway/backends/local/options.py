"""How a local fit is computed. Apart from `closes_empty`, options change results only by rounding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from unsway.errors import BadInput
from unsway.types.kinds import check_kinds

TRACKERS: Mapping[str, tuple[str, ...]] = {
    "tensorboard": ("tensorboard", "tensorboardX"),
    "wandb": ("wandb",),
    "trackio": ("trackio",),
}
"""Trackers to which a trainer may report in addition to `metrics.jsonl`, each with the packages of which one is needed."""


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """Options of the local back-end."""

    packing: bool = False
    """Concatenate the rows of one forward pass without padding; not for preferences."""
    gradient_checkpointing: bool = False
    """Recompute activations instead of keeping them: less memory, about a third more time."""
    report_to: tuple[str, ...] = ()
    """Trackers in addition to `metrics.jsonl`: tensorboard, wandb, trackio."""
    save_every: int = 10
    """Steps between two saves: the most that a kill can lose. Ours: a save takes about as long as a step."""
    rows_at_once: int | None = None
    """Maximum rows of one forward pass; larger batches accumulate. None: 4 on a CPU, on a GPU what fits into memory. Methods
    with their own loop use the tokens of that many longest rows as the limit of a pass: more rows if they share a prefix."""

    closes_empty: bool = False
    """Close the thought that a chat template opens if a reply has none: teaches a reasoning model not to think. Otherwise
    such rows are refused."""

    def __post_init__(self) -> None:
        check_kinds(self)
        if self.save_every < 1:
            raise BadInput(f"save_every is {self.save_every}; it is a number of steps, 1 or more.")
        if self.rows_at_once is not None and self.rows_at_once < 1:
            raise BadInput(f"rows_at_once is {self.rows_at_once}; it is a number of rows, 1 or more, or None.")
        for tracker in self.report_to:
            if tracker not in TRACKERS:
                raise BadInput(f"There is no tracker {tracker!r}; known: {', '.join(TRACKERS)}.")
            if not any(find_spec(package) for package in TRACKERS[tracker]):
                package = TRACKERS[tracker][0]
                raise BadInput(
                    f"Reporting to {tracker} needs {package!r}, which is not installed. pip install {package}"
                )
