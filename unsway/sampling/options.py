"""How prompts are asked, as one value: decoding, samples, folder, budget, batch mode.

`ask`, `run` and `run_until` accept a `Sampling`, its fields as keywords, or both (then a keyword replaces the field):

    ask(prompts, "openai/gpt-4o-mini", settings=Settings(max_tokens=300), folder="runs/x")

    thorough = Sampling(samples=5, settings=Settings(temperature=1.0), folder="runs/x", budget=Budget(5.0))
    ask(prompts, "openai/gpt-4o-mini", thorough)
    run(pairs, "openai/gpt-4o", thorough, batch=True)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypedDict

from unsway.errors import BadInput
from unsway.models.session import LOCAL, Session, session
from unsway.planning.budget import Budget
from unsway.types import Settings
from unsway.types.kinds import check_kinds

if TYPE_CHECKING:
    from unsway.models.session import ModelLike


@dataclass(frozen=True, slots=True)
class Sampling:
    """How prompts are asked and where the replies are stored."""

    settings: Settings = field(default_factory=Settings)
    """How replies are decoded."""
    samples: int = 1
    """Replies to each prompt; more than one is useful only above temperature 0."""
    folder: str | Path | None = None
    """The folder for replies (`replies.jsonl`) and Inspect's logs (`logs/`); None stores nothing."""
    budget: Budget | None = None
    """Stops before a prompt that could exceed its limit; includes the cost of replies already in the folder."""
    batch: bool | int = False
    """Whether to use the provider's batch mode (half the price, hours later) if Inspect supports it; a number is its size."""
    label: str = ""
    """The progress bar's text; by default the model's name."""
    log_samples: bool = True
    """Whether Inspect's logs include each sample with its score; that takes half the time of a scripted reply."""

    def __post_init__(self) -> None:
        check_kinds(self)
        if self.samples < 1:
            raise BadInput(f"samples is {self.samples}; it is at least 1.")


class SamplingOptions(TypedDict, total=False):
    """The fields of `Sampling` as keywords."""

    settings: Settings
    samples: int
    folder: str | Path | None
    budget: Budget | None
    batch: bool | int
    label: str
    log_samples: bool


def check_settings(settings: Settings, model: str) -> None:
    """Raise `BadInput` for settings that have no effect on this model, or that leave no token for the answer."""
    budget = settings.thinking_budget
    if settings.options_after is not None and (not model.startswith(LOCAL) or not settings.options_after.strip()):
        raise BadInput(
            f"options_after is {settings.options_after!r}: it restricts replies of local models alone, after words that "
            f"are not blank, and the model is {model}. Leave it out."
        )
    words = settings.force_answer
    if words is not None and (settings.options_after is None or not words.strip()):
        raise BadInput(
            f"force_answer is {words!r} and options_after {settings.options_after!r}: forcing an answer needs "
            "words that are not blank, in both. Name both, or leave force_answer out."
        )
    beginning = settings.letter_begins
    if beginning is not None and (model.startswith(LOCAL) or not beginning.strip() or beginning != beginning.rstrip()):
        raise BadInput(
            f"letter_begins is {beginning!r}: it begins letters of hosted models alone, with text that does not end in "
            f"white space, and the model is {model}. Leave it out: local engines choose between the letters."
        )
    if model.startswith(LOCAL) and (settings.effort is not None or budget is not None):
        raise BadInput(
            f"{model} runs here and takes no effort and no thinking budget: it thinks as its chat template says. Leave them "
            "out, or serve it with vLLM or SGLang and name it as vllm/… or sglang/…."
        )
    if budget is not None and not 0 < budget < settings.max_tokens:
        raise BadInput(
            f"The thinking budget is {budget} tokens of at most {settings.max_tokens} of a reply. It must be above 0 and "
            "below that, or nothing is left for the answer: raise max_tokens."
        )


@contextmanager
def opened(
    model: ModelLike, sampling: Sampling, model_args: Mapping[str, Any] | None
) -> Iterator[tuple[Session, Sampling, Path]]:
    """Open a session with the model; yields it with the complete options and the folder of the replies.

    If no folder is given, one is made, without samples in its logs, and deleted afterwards. A session opened here is also
    closed.
    """
    with ExitStack() as stack:
        opened_session = session(model, **(model_args or {}))
        if opened_session is not model:
            stack.enter_context(opened_session)
        stack.enter_context(opened_session.asking())
        folder = sampling.folder
        if folder is None:
            folder = stack.enter_context(TemporaryDirectory())
            sampling = replace(sampling, folder=folder, log_samples=False)
        yield opened_session, sampling, Path(folder)
