"""Questions × biases × elicitation → pairs. The only place that builds them.

In: questions and names of biases. Out: a `PairSet`, with every question that a bias could not be put to, and why.
The option that cues are about is drawn once a question, so all biases of a question share it and its clean prompt. It is
never the right option unless asked for: following the cue can then be told from being right (SPEC §2; the paper filters
such rows afterwards).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from unsway import biases as registry
from unsway.biases import Bias, Skip, Substitution
from unsway.elicit import prompts
from unsway.errors import BadInput
from unsway.seeds import content_id, rng
from unsway.types import AnyChange, AwayFrom, Pair, Prompt, Question, Target, Toward

Aim: TypeAlias = Literal["wrong", "gold", "any"]
"""Which option cues are about: a wrong one, the right one (a legitimate cue), or any (questions without gold)."""
Instructions: TypeAlias = Literal["default", "varied"]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A question that a bias could not be put to."""

    question_id: str
    bias: str
    reason: str


@dataclass(frozen=True, slots=True)
class PairSet:
    """Pairs, and what was skipped on the way."""

    pairs: tuple[Pair, ...]
    skipped: tuple[Skipped, ...] = ()

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __add__(self, other: PairSet) -> PairSet:
        return PairSet(self.pairs + other.pairs, self.skipped + other.skipped)

    def where(self, *, bias: str) -> PairSet:
        """The pairs of one bias (`name` or `name@version`)."""
        name = registry.get(bias).versioned
        return PairSet(
            tuple(pair for pair in self.pairs if pair.bias == name),
            tuple(skipped for skipped in self.skipped if skipped.bias == name),
        )


def pairs(
    questions: Iterable[Question],
    biases: Sequence[str],
    *,
    elicit: str = "cot",
    aim: Aim = "wrong",
    seed: int = 0,
    instructions: Instructions = "default",
) -> PairSet:
    """Build the pairs of every question and bias.

    Args:
        questions: What is asked.
        biases: Names of biases (`unsway biases` lists them).
        elicit: How it is asked: cot, brief or direct.
        aim: Which option cues are about.
        seed: Same seed, same prompts to the byte.
        instructions: default is what one measures with; varied draws from the bank for each question, to train.

    Raises:
        UnknownName: There is no such bias or elicitation.
        BadInput: aim is wrong or gold and a question has no gold, or has too many options.
    """
    chosen = tuple(registry.get(name) for name in biases)
    name = prompts.versioned(elicit)
    built: list[Pair] = []
    skipped: list[Skipped] = []
    for question in questions:
        option = _option(question, aim, seed)
        clean = prompts.render(question, elicit, _instruction(question, elicit, instructions, seed))
        for bias in chosen:
            made = _pair(question, bias, clean, option, name, seed)
            if isinstance(made, Skip):
                skipped.append(Skipped(question.id, bias.versioned, made.reason))
            else:
                built.append(made)
    return PairSet(tuple(built), tuple(skipped))


def _option(question: Question, aim: Aim, seed: int) -> int:
    """The option that all cues of a question are about."""
    n = len(question.options)
    if not 2 <= n <= prompts.MAX_OPTIONS:
        raise BadInput(f"Question {question.id} has {n} options; a cue needs 2 to {prompts.MAX_OPTIONS}.")
    if question.gold is None and aim != "any":
        raise BadInput(
            f"Question {question.id} has no gold option, so aim={aim!r} means nothing for it. Use aim='any'."
        )
    if aim == "gold" and question.gold is not None:
        return question.gold
    allowed = [i for i in range(n) if aim == "any" or i != question.gold]
    return rng(seed, "target", question.id).choice(allowed)


def _instruction(question: Question, elicit: str, which: Instructions, seed: int) -> str:
    bank = prompts.instructions(elicit)
    return bank[0] if which == "default" else rng(seed, "instruction", question.id).choice(bank)


def _pair(question: Question, bias: Bias, clean: Prompt, option: int, elicit: str, seed: int) -> Pair | Skip:
    if len(question.options) < bias.min_options:
        return Skip(f"needs at least {bias.min_options} options")
    made = bias.build(question, clean, option, rng(seed, "cue", bias.versioned, question.id))
    if isinstance(made, Skip):
        return made
    order = tuple(range(len(question.options)))
    if isinstance(made, Substitution):
        clean, biased, order = made.clean, made.biased, made.order or order
    else:
        biased = made
        _check_insertion(bias, biased, clean)
    target = _target(bias, question, option)
    if isinstance(target, Skip):
        return target
    identity = content_id(clean.id, biased.id, bias.versioned, elicit, repr(target))
    return Pair(identity, question, bias.versioned, elicit, clean, biased, target, order, seed)


def _check_insertion(bias: Bias, biased: Prompt, clean: Prompt) -> None:
    """A bias may only add cues; a bug in one must not become a wrong number."""
    if biased.stripped() != clean or biased == clean:
        raise BadInput(
            f"The bias {bias.versioned!r} is no insertion: without its cues the biased prompt is not the clean one, or it "
            "adds nothing. Tag all it adds as cue, or declare kind='substitution' and return a Substitution."
        )


def _target(bias: Bias, question: Question, option: int) -> Target | Skip:
    match bias.target:
        case "toward":
            return Toward(option)
        case "away":
            return AwayFrom(option)
        case "away_from_gold":
            return Skip("has no gold option") if question.gold is None else AwayFrom(question.gold)
        case "change":
            return AnyChange()
