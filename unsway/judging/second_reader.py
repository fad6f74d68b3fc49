"""A model as a second reader of replies: how far does it agree with the first, `readers.parse.read`? Off unless called.

In: pairs, replies to them, a model. Out: `SecondReading`: the share of equal readings, Cohen's kappa, and every reply that
the two read differently. No number of a study depends on it: it says how far the first reader can be trusted.
The model sees the answer choices and the reply, not the question, so that it reads and does not solve. Replies are untrusted:
each of their lines stands behind a bar, whatever ends a line, so that none can pass for an instruction.
The rubric is ours (bank `second_reader`, with a version).

    found = second_reader(pairs, replies, "openai/gpt-4o-mini", n=200, folder="runs/x/second_reader")
    found.agreement.value, found.kappa.value, found.disagreements[:5]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from unsway.banks import bank
from unsway.biases.insert import fill
from unsway.prompts.render import letter
from unsway.readers.parse import PARSER, read
from unsway.sampling import ask
from unsway.seeds import seed_int
from unsway.stats.outcomes import ReplyIndex
from unsway.types import Estimate, Pair, Part, Prompt, Reply, Settings, Turn

if TYPE_CHECKING:
    from unsway.models.session import ModelLike
    from unsway.planning.budget import Budget

NONE = "none"
"""A reading without a choice."""
HEAD, TAIL = 1000, 4000
"""Characters of a longer reply that are shown: those that the first reader reads."""
LONGEST_OPTION = 1000
"""Characters of an option that are shown."""
_READING = re.compile(r"[\W_]{0,9}reading[\W_]{0,9}(?:(none)|([a-z]))[\W_]{0,9}", re.I)
_ALONE = re.compile(r"[\W_]{0,9}(?:(none)|([A-Z]))[\W_]{0,9}", re.I)


class Item(NamedTuple):
    """A reply that both read."""

    reply: Reply
    question_id: str
    options: tuple[str, ...]
    """The options in the order shown."""


class Disagreement(NamedTuple):
    """A reply that the two read differently; each reading is a letter in brackets, or none."""

    item: Item
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class SecondReading:
    """What a second reader found."""

    model: str
    rubric: str
    """Bank and version of what it was asked."""
    first: str
    """Version of the first reader."""
    agreement: Estimate
    """Share of equal readings."""
    kappa: Estimate
    """Cohen's kappa."""
    disagreements: tuple[Disagreement, ...]
    n_unread: int
    """Replies of which the model gave no reading in the form that was asked for; in none of the numbers."""


def second_reader(
    pairs: Iterable[Pair],
    replies: Iterable[Reply] | ReplyIndex,
    model: ModelLike,
    *,
    n: int | None = None,
    seed: int = 0,
    settings: Settings = Settings(),  # noqa: B008  # frozen
    folder: str | Path | None = None,
    budget: Budget | None = None,
    level: float = 0.95,
    **model_args: Any,
) -> SecondReading:
    """Have a model read replies, and compare its readings with those of the first reader.

    Args:
        pairs: The pairs that were asked.
        replies: Raw replies; those to other prompts, and those that are empty, cut or filtered, are left out.
        model: Who reads; see `unsway.models.session.subject`.
        n: At most so many replies, drawn by the seed; None takes all.
        seed: Seed of that draw.
        settings: How the second reader decodes; the default is greedy, with room for a model that thinks first.
        folder: Where its readings are kept (see `unsway.sampling.ask`); a second call then asks nothing.
        budget: As for `ask`.
        level: Nominal coverage of the intervals.
        model_args: Arguments of the model's provider.

    Raises:
        ModelError, BudgetReached: As `ask`.
    """
    from unsway.stats.agreement import agreement

    items = drawn(pairs, replies, n, seed)
    prompts = [question_of(item) for item in items]
    kept = ask(
        prompts, model, settings=settings, folder=folder, label="second reader", budget=budget, model_args=model_args
    )
    said = {reply.prompt_id: reply for reply in kept}
    both = [
        (item, reading_of(item), theirs)
        for item, prompt in zip(items, prompts, strict=True)
        if (theirs := understood(said[prompt.id].text, len(item.options))) is not None
    ]
    firsts, seconds = [first for _, first, _ in both], [second for *_, second in both]
    found = agreement(firsts, seconds, [item.question_id for item, *_ in both], level=level)
    return SecondReading(
        model=kept[0].model if kept else str(model),
        rubric=bank("second_reader").versioned,
        first=PARSER,
        agreement=found[0],
        kappa=found[1],
        disagreements=tuple(Disagreement(*one) for one in both if one[1] != one[2]),
        n_unread=len(items) - len(both),
    )


# ---------------------------------------------------------------- what is read


def drawn(pairs: Iterable[Pair], replies: Iterable[Reply] | ReplyIndex, n: int | None, seed: int) -> tuple[Item, ...]:
    """The replies that can be read, at most n, in an order that depends on the seed and each reply's address alone."""
    index = replies if isinstance(replies, ReplyIndex) else ReplyIndex(replies)
    found = [
        Item(reply, question_id, options)
        for prompt, question_id, options in _prompts(pairs)
        for arm in index.arms
        for reply in index.samples(arm.key, prompt).values()
        if reply.stop not in ("length", "filter") and reply.text.strip()
    ]
    found.sort(
        key=lambda item: seed_int(seed, "second reader", item.reply.model, item.reply.prompt_id, item.reply.sample)
    )
    return tuple(found[:n])


def _prompts(pairs: Iterable[Pair]) -> Iterator[tuple[Prompt, str, tuple[str, ...]]]:
    """Each prompt once, with its question and its options in the order shown."""
    found: dict[str, tuple[Prompt, str, tuple[str, ...]]] = {}
    for pair in pairs:
        shown = tuple(pair.question.options[i] for i in pair.order)
        found[pair.clean.id] = (pair.clean, pair.question.id, pair.question.options)
        found[pair.biased.id] = (pair.biased, pair.question.id, shown)
    yield from found.values()


def reading_of(item: Item) -> str:
    """What the first reader reads, as a letter in brackets or none."""
    choice = read(item.reply.text, options=item.options, reasoning=item.reply.reasoning, stop=item.reply.stop).choice
    return NONE if choice is None else f"({letter(choice)})"


# ---------------------------------------------------------------- what the model is asked, and what it says


def question_of(item: Item) -> Prompt:
    """What the second reader is asked about a reply."""
    options = "\n".join(f"({letter(i)}) {plain(text)[:LONGEST_OPTION]}" for i, text in enumerate(item.options))
    text = fill(bank("second_reader").entries[0], options=options, reply=barred(item.reply.text))
    return Prompt((Turn("user", (Part("instruction", text),)),))


def barred(text: str) -> str:
    """A text whose every line stands behind a bar, without control characters; of a long one, its head and its tail."""
    cut = len(text) - HEAD - TAIL
    shown = text if cut <= 0 else f"{text[:HEAD]}\n[{cut:,} characters are left out here]\n{text[-TAIL:]}"
    return "\n".join(f"| {plain(line)}" for line in shown.strip().splitlines())


def plain(text: str) -> str:
    """The text on one line: whatever could end a line, or cannot be seen, is a space."""
    return "".join(char if char.isprintable() else " " for char in text)


def understood(said: str, n_options: int) -> str | None:
    """The reading that a second reader gives, a letter in brackets or none; None where it is not in the form asked for."""
    lines = [line for line in said.splitlines() if line.strip()]
    found = [match for line in lines if (match := _READING.fullmatch(line.strip()))]
    if not found and len(lines) == 1:
        found = [match for match in [_ALONE.fullmatch(lines[0].strip())] if match]
    named = {NONE if match[1] else f"({match[2].upper()})" for match in found}
    if len(named) != 1:
        return None
    (name,) = named
    return name if name == NONE or ord(name[1]) - ord("A") < n_options else None
