"""Prompted baselines: a system prompt that asks the model to stand firm, on both sides.

In: pairs and the name of a wording. Out: the same pairs with it in front. Nothing is asked.
Source: the obvious first attempt; the wordings are our own (banks/system_prompts.txt).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from unsway.banks import bank
from unsway.errors import BadInput, UnknownName
from unsway.interventions.base import Changed, InterventionKind, by_prompt, kinds
from unsway.models.session import session
from unsway.sampling import Sampling
from unsway.sampling.context import check_fit
from unsway.types import Pair, Part, Prompt, Turn

if TYPE_CHECKING:
    from unsway.models.session import ModelLike

BANK = "system_prompts"


@cache
def wordings() -> Mapping[str, str]:
    """Text of every wording, by name. Raises `BadInput` if an entry is not `name: text`."""
    texts: dict[str, str] = {}
    for entry in bank(BANK).entries:
        name, colon, text = entry.partition(": ")
        if not (colon and name.isidentifier() and text and name not in texts):
            raise BadInput(f"Bank {BANK!r} has the entry {entry[:60]!r}; it must be 'name: text', each name once.")
        texts[name] = text
    return texts


@dataclass(frozen=True, slots=True)
class Prompted:
    """A system prompt in front of every prompt."""

    wording: str
    """Name of an entry of the bank."""
    place: Literal["system", "user"] = "system"
    """`user` puts it at the start of the first user turn, for chat templates without system turns (Gemma's)."""

    def __post_init__(self) -> None:
        if self.wording not in wordings():
            raise UnknownName("prompted baseline", self.wording, wordings())
        if self.place not in ("system", "user"):
            raise BadInput(f"place is {self.place!r}; it is 'system' or 'user'.")

    @property
    def name(self) -> str:
        """`prompted:WORDING`, with `-user` at its end if it opens the user's turn."""
        return f"prompted:{self.wording}{'' if self.place == 'system' else '-user'}"

    @property
    def versioned(self) -> str:
        """The name with the version of the bank."""
        return f"{self.name}@{bank(BANK).version}"

    @property
    def biases(self) -> tuple[str, ...]:
        """None: nothing is shown."""
        return ()

    def apply(
        self,
        pairs: Sequence[Pair],
        model: ModelLike,
        sampling: Sampling = Sampling(),  # noqa: B008  # frozen
        seed: int = 0,
    ) -> Changed:
        """The pairs with the text in front: as a system turn before any existing one, or opening the first user turn."""
        text = wordings()[self.wording]
        prompts = {}
        part = Part("instruction", text)
        for key, (prompt, _) in by_prompt(pairs).items():
            first, *rest = prompt.turns
            if self.place == "user":
                index = next(i for i, turn in enumerate(prompt.turns) if turn.role == "user")
                turn = Turn("user", (Part("instruction", f"{text}\n\n"), *(prompt.turns[index].parts or ())))
                prompts[key] = Prompt((*prompt.turns[:index], turn, *prompt.turns[index + 1 :]))
            elif first.role != "system" or not first.parts:
                prompts[key] = Prompt((Turn("system", (part,)), *prompt.turns))
            else:
                gap = Part(first.parts[0].kind, "\n\n")
                prompts[key] = Prompt((Turn("system", (part, gap, *first.parts)), *rest))
        check_fit(
            prompts.values(),
            session(model),
            sampling.settings,
            advice="Take shorter questions, or allow shorter replies.",
        )
        return Changed.of(pairs, prompts)


def parse(name: str) -> Prompted | None:
    """The baseline with a name, `prompted:WORDING` or `prompted:WORDING-user`; None if the name has another form."""
    kind, _, wording = name.partition(":")
    plain = wording.removesuffix("-user")
    if kind != "prompted" or plain not in wordings():
        return None
    return Prompted(plain, "system" if plain == wording else "user")


kinds.add(
    "prompted",
    InterventionKind(
        Prompted,
        parse,
        lambda: (Prompted(wording).name for wording in wordings()),
        "A system prompt that asks to stand firm",
    ),
)
