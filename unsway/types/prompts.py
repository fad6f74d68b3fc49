"""Questions, and prompts as turns of tagged parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from unsway.seeds import content_id

Role: TypeAlias = Literal["system", "user", "assistant"]
PartKind: TypeAlias = Literal["stem", "option", "instruction", "cue"]
OUTCOMES = ("neither", "answers", "declines")
"""What a reply may do with a request: the options of a question that is one. No prompt ever shows them."""
ANSWERS, DECLINES = OUTCOMES.index("answers"), OUTCOMES.index("declines")


@dataclass(frozen=True, slots=True)
class Question:
    """One multiple-choice question. The id depends on the stem and the options in the order shown."""

    stem: str
    """The question text, without its options."""
    options: tuple[str, ...]
    """The options in the order they are shown; option 0 is shown as (A). All empty where only their number is known."""
    gold: int | None
    """Index of the right option, or None where nobody knows it."""
    source: str
    """Where it comes from: `name@revision`."""
    split: str
    """The split of the source: train, validation or test."""
    id: str = field(default="")
    """Content id of stem and options; filled in when left empty."""

    def __post_init__(self) -> None:
        if not self.id:
            object.__setattr__(self, "id", content_id(self.stem, self.options))

    @property
    def is_request(self) -> bool:
        """Whether it is a request: its options are `OUTCOMES`, and the right one is what a reply ought to do with it."""
        return self.options == OUTCOMES


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a turn's text. Texts carry their own white space: a turn's content is their plain concatenation."""

    kind: PartKind
    """What the piece is; only `cue` may be added by a bias."""
    text: str
    """The text, with the white space that joins it to its neighbours."""


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message as a model receives it."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a prompt; `parts` is None where the model under test speaks."""

    role: Role
    parts: tuple[Part, ...] | None

    def text(self) -> str:
        """The turn's content; empty where the model speaks."""
        return "".join(part.text for part in self.parts or ())


class _KeepsId:
    """A place for an id that is computed once."""

    __slots__ = ("_id",)
    _id: str


@dataclass(frozen=True, slots=True)
class Prompt(_KeepsId):
    """A conversation up to the point where the model gives the reply that is read."""

    turns: tuple[Turn, ...]
    """The turns in order; the last one is the user's."""

    @property
    def id(self) -> str:
        """Content id of the text as sent, computed once. Equal text has an equal id, whatever its parts are called."""
        try:
            return self._id
        except AttributeError:
            object.__setattr__(
                self, "_id", content_id([(t.role, None if t.parts is None else t.text()) for t in self.turns])
            )
            return self._id

    @property
    def n_model_turns(self) -> int:
        """How many times the model speaks before the reply that is read."""
        return sum(turn.parts is None for turn in self.turns)

    def messages(self, said: tuple[str, ...] = ()) -> tuple[Message, ...]:
        """The chat messages, with the model's own earlier words put where it speaks.

        Stops before the first such turn that `said` does not cover, so a runner walks the prompt by calling this again
        with one more text each time.
        """
        out: list[Message] = []
        words = iter(said)
        for turn in self.turns:
            if turn.parts is not None:
                out.append(Message(turn.role, turn.text()))
                continue
            spoken = next(words, None)
            if spoken is None:
                return tuple(out)
            out.append(Message(turn.role, spoken))
        return tuple(out)

    def stripped(self) -> Prompt:
        """The prompt without its cues: cue parts, model turns and emptied turns go; neighbours of one role join."""
        turns: list[Turn] = []
        for turn in self.turns:
            kept = tuple(p for p in turn.parts or () if p.kind != "cue")
            if not kept:
                continue
            if turns and turns[-1].role == turn.role:
                turns[-1] = Turn(turn.role, (turns[-1].parts or ()) + kept)
            else:
                turns.append(Turn(turn.role, kept))
        return Prompt(tuple(turns))

    def cue(self) -> str:
        """The text of all cue parts, one a line, in order (for a judge who asks whether it is mentioned)."""
        parts = (p for turn in self.turns for p in turn.parts or ())
        return "\n".join(p.text.strip() for p in parts if p.kind == "cue" and p.text.strip())

    def cue_place(self) -> str:
        """Where the cue stands in the last turn: front, before_options, after_options, end; `turns` where it is elsewhere."""
        kinds = [part.kind for part in self.turns[-1].parts or ()]
        if any(p.kind == "cue" for turn in self.turns[:-1] for p in turn.parts or ()) or "cue" not in kinds:
            return "turns"
        before = kinds[: kinds.index("cue")]
        if "stem" not in before:
            return "front"
        if "instruction" in before:
            return "end"
        return "after_options" if "option" in before else "before_options"
