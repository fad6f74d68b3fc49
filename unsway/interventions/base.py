"""What an intervention in prompts is: something that changes what is asked, in both arms alike, and trains nothing.

In: the prompts of a study. Out: `Replaced`: from the id of each to the prompt that is asked in its place, and why some
have none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from unsway import layout
from unsway.models.session import Session, session
from unsway.types import Part, Prompt, Role, Settings, Turn

if TYPE_CHECKING:
    from unsway.models.session import ModelLike
    from unsway.planning.budget import Budget


@dataclass(frozen=True, slots=True, eq=False)
class Replaced(Mapping[str, Prompt]):
    """The prompts to ask, by the id of the one that each stands for."""

    prompts: Mapping[str, Prompt]
    missing: Mapping[str, str] = field(default_factory=dict)
    """Prompts that are not to be asked: id to the reason, in a few words that do not depend on the prompt."""

    def __getitem__(self, prompt_id: str) -> Prompt:
        return self.prompts[prompt_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self.prompts)

    def __len__(self) -> int:
        return len(self.prompts)

    def reasons(self) -> Mapping[str, int]:
        """How many prompts are missing, by reason."""
        return Counter(self.missing.values())


@dataclass(frozen=True, slots=True)
class Missing:
    """A prompt that is not asked under an intervention."""

    prompt_id: str
    reason: str


class Intervention(Protocol):
    """A frozen value; `get` makes one from its name."""

    @property
    def name(self) -> str:
        """How it is called: `fewshot:4-naive`, `prompted:ignore`, `rewrite`."""
        ...

    @property
    def versioned(self) -> str:
        """The name with the versions of everything that it depends on."""
        ...

    @property
    def biases(self) -> tuple[str, ...]:
        """Biases whose cue it shows together with a clean reply: those are not held out. None but in shots."""
        ...

    def prompts(
        self,
        prompts: Iterable[Prompt],
        model: ModelLike,
        *,
        folder: str | Path | None = None,
        settings: Settings = Settings(),  # noqa: B008  # frozen
        seed: int = 0,
        budget: Budget | None = None,
    ) -> Replaced:
        """What to ask in place of each prompt.

        Args:
            prompts: The prompts of both arms; equal text is the same prompt.
            model: Who will be asked, and is asked for what the intervention needs of it.
            folder: Where what it says is kept (see `unsway.sampling.ask`).
            settings: How the measured replies will be decoded.
            seed: Seed of what is drawn.
            budget: Stops before a prompt that could pass its limit.

        Raises:
            BadInput: Some prompts would not fit the model; nothing but what the intervention needs was asked.
        """
        ...


def held(model: ModelLike) -> AbstractContextManager[Session]:
    """A session with a model: one that was handed in stays open, one that is opened here is closed."""
    opened = session(model)
    return nullcontext(opened) if opened is model else opened


# ---------------------------------------------------------------- files


def kept_at(folder: str | Path, model: str, name: str) -> Path:
    """Where an intervention writes down what it did to a model: a JSONL file in a folder beside the replies."""
    plain = layout.file_name(f"{model.rpartition('/')[2]}-{name}")
    return Path(folder) / layout.INTERVENTIONS / f"{plain}.jsonl"


# ---------------------------------------------------------------- turns


def said(role: Role, text: str) -> Turn:
    """A turn that is all instruction: it says how to reply, not what; so it is no cue, and `stripped()` keeps it."""
    return Turn(role, (Part("instruction", text),))


def before(prompt: Prompt, turns: tuple[Turn, ...]) -> Prompt:
    """The prompt with turns in front of all its own; a system turn that it begins with stays the first of all."""
    own = prompt.turns
    first = 1 if own and own[0].role == "system" else 0
    return Prompt((*own[:first], *turns, *own[first:]))


def without_example(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The turns without the elicitation's worked example: leading turns that are all instruction."""
    return turns[len(worked_example(turns)) :]


def worked_example(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Leading turns that are all instruction."""
    for i, turn in enumerate(turns):
        if turn.parts is None or any(part.kind != "instruction" for part in turn.parts):
            return turns[:i]
    return ()
