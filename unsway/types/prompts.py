"""Questions, and prompts as turns of tagged parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from unsway.seeds import content_id

Role: TypeAlias = Literal["system", "user", "assistant"]
PartKind: TypeAlias = Literal["stem", "option", "instruction", "cue"]
OUTCOMES = ("neither", "answers", "declines")
"""The possible outcomes of a request, used as the options of its `Question`. No prompt ever shows them."""
ANSWERS, DECLINES = OUTCOMES.index("answers"), OUTCOMES.index("declines")


@dataclass(frozen=True, slots=True)
class Question:
    """One multiple-choice question. The id depends on the stem and the options in the order shown."""

    stem: str
    """The question text, without its options."""
    options: tuple[str, ...]
    """The options in the order shown; option 0 is shown as (A). All empty if only their number is known."""
    gold: int | None
    """Index of the right option, or None if it is unknown."""
    source: str
    """Its origin: `name@revision`."""
    split: str
    """The split of the source: train, validation or test."""
    id: str = field(default="")
    """Content id of stem and options; computed if left empty."""

    def __post_init__(self) -> None:
        if not self.id:
            object.__setattr__(self, "id", content_id(self.stem, self.options))

    @property
    def is_request(self) -> bool:
        """Whether it is a request: its options are `OUTCOMES`, and the right one is what a reply should do with it."""
        return self.options == OUTCOMES


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a turn's text. Texts include their white space: a turn's content is their plain concatenation."""

    kind: PartKind
    """The kind of piece; a bias may add only `cue`."""
    text: str
    """The text, with the white space that joins it to its neighbours."""


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message as a model receives it."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a prompt; `parts` is None for a turn that the model under test writes."""

    role: Role
    parts: tuple[Part, ...] | None

    def text(self) -> str:
        """The turn's content; empty for a turn that the model writes."""
        return "".join(part.text for part in self.parts or ())


class _KeepsId:
    """A slot for an id that is computed once."""

    __slots__ = ("_id",)
    _id: str


@dataclass(frozen=True, slots=True)
class Prompt(_KeepsId):
    """A conversation up to the point where the model gives the reply to be read."""

    turns: tuple[Turn, ...]
    """The turns in order; the last one is the user's."""

    @property
    def id(self) -> str:
        """Content id of the text as sent, computed once. Equal texts have equal ids, however their parts are tagged."""
        try:
            return self._id
        except AttributeError:
            object.__setattr__(
                self, "_id", content_id([(t.role, None if t.parts is None else t.text()) for t in self.turns])
            )
            return self._id

    @property
    def n_model_turns(self) -> int:
        """The number of turns that the model writes before the reply to be read."""
        return sum(turn.parts is None for turn in self.turns)

    def messages(self, said: tuple[str, ...] = ()) -> tuple[Message, ...]:
        """The chat messages, with the model's earlier replies (`said`) in its own turns.

        Stops before the first model turn without a text in `said`. So a runner goes through the prompt by calling this again
        with one more reply each time.
        """
        messages: list[Message] = []
        replies = iter(said)
        for turn in self.turns:
            if turn.parts is not None:
                messages.append(Message(turn.role, turn.text()))
                continue
            reply = next(replies, None)
            if reply is None:
                return tuple(messages)
            messages.append(Message(turn.role, reply))
        return tuple(messages)

    def stripped(self) -> Prompt:
        """The prompt without cue parts, model turns and turns left empty; adjacent turns of one role are merged."""
        turns: list[Turn] = []
        for turn in self.turns:
            parts = tuple(p for p in turn.parts or () if p.kind != "cue")
            if not parts:
                continue
            if turns and turns[-1].role == turn.role:
                turns[-1] = Turn(turn.role, (turns[-1].parts or ()) + parts)
            else:
                turns.append(Turn(turn.role, parts))
        return Prompt(tuple(turns))

    def cue(self) -> str:
        """The text of all cue parts, one per line, in order (for a judge who decides whether a reply mentions it)."""
        parts = (p for turn in self.turns for p in turn.parts or ())
        return "\n".join(p.text.strip() for p in parts if p.kind == "cue" and p.text.strip())

    def cue_place(self) -> str:
        """The cue's place in the last turn: front, before_options, after_options or end; `turns` if it is elsewhere."""
        kinds = [part.kind for part in self.turns[-1].parts or ()]
        if any(p.kind == "cue" for turn in self.turns[:-1] for p in turn.parts or ()) or "cue" not in kinds:
            return "turns"
        before = kinds[: kinds.index("cue")]
        if "stem" not in before:
            return "front"
        if "instruction" in before:
            return "end"
        return "after_options" if "option" in before else "before_options"
