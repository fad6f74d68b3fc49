"""Writes a bank of arguments for options with a model, for the `distractor_argument` bias to quote.

In: questions and a model. Out: `WrittenArguments`: those that reach the intended conclusion and do not give themselves away,
and how many were dropped, by reason.
Source: arXiv 2403.05518 (distractor: argument): several samples at temperature 1 for the cued option, of which the first good
one is kept. Use the same seed and aim in `pairs`, so that it cues the same options.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway.biases.arguments import Argument, Arguments, request, usable, write
from unsway.data.targets import why_no_target
from unsway.pairing import Aim, cued_option
from unsway.sampling import ask
from unsway.sources.checks import problem
from unsway.types import Question, Settings

if TYPE_CHECKING:
    from unsway.models.session import ModelLike

SAMPLES = 5
"""Tries for each question; the paper's 5."""
TEMPERATURE = 1.0
"""The paper's temperature of these samples."""
MAX_TOKENS = 600
"""Enough for the requested 120 words, and for a model that does not count well. Our choice."""


@dataclass(frozen=True, slots=True)
class WrittenArguments:
    """A bank of arguments and what was left out of it."""

    arguments: Arguments
    """The arguments kept."""
    wanted: int
    """The number of questions for which an argument was requested."""
    dropped: Mapping[str, int]
    """The number of unusable replies, by reason."""
    model: str
    """The model that wrote them."""

    def write(self, path: str | Path) -> Path:
        """Write the bank as JSONL, with a manifest that records the writer and the dropped replies."""
        about = {"model": self.model, "wanted": self.wanted, "dropped": dict(self.dropped)}
        return write(self.arguments, path, **about)


def arguments(
    questions: Iterable[Question],
    model: ModelLike,
    *,
    aim: Aim = "wrong",
    seed: int = 0,
    samples: int = SAMPLES,
    max_tokens: int = MAX_TOKENS,
    folder: str | Path | None = None,
    **model_args: Any,
) -> WrittenArguments:
    """Have a model argue for the cued option of each question.

    Args:
        questions: The questions; those that cannot be asked are left out, as in `pairs`.
        model: The writer: the model under test, or another one.
        aim: Which option is cued.
        seed: Seed of the cued options and of sampling.
        samples: Tries for each question.
        max_tokens: Longest argument; one that is cut there is dropped.
        folder: Where replies are stored (see `unsway.sampling.ask`).
        model_args: Arguments of the model's provider.
    """
    askable = tuple({q.id: q for q in questions if problem(q) is None}.values())
    prompts = {q.id: request(q, cued_option(q, aim, seed)) for q in askable}
    settings = Settings(temperature=TEMPERATURE, max_tokens=max_tokens, seed=seed)
    replies = ask(
        prompts.values(),
        model,
        settings=settings,
        samples=samples,
        folder=folder,
        label="arguments",
        model_args=model_args,
    )
    cued_options = {prompts[q.id].id: (q.id, cued_option(q, aim, seed)) for q in askable}
    complete_arguments = (Argument(*cued_options[r.prompt_id], r.text.strip()) for r in replies if not why_no_target(r))
    bank, dropped = usable(complete_arguments, askable)
    unfinished = Counter(filter(None, map(why_no_target, replies)))
    return WrittenArguments(bank, len(askable), unfinished + Counter(dropped), replies[0].model if replies else "")
