"""Questions × biases → pairs: one question with and without a cue. The only place that builds them.

In: questions, names of biases, an elicitation. Out: a `PairSet`: the pairs, and what was skipped with its reason.
Source: arXiv 2403.05518, §3. All biases of a question cue the same option, by default never the gold one. They also share
the clean prompt, which is therefore asked once, and biases can be compared.

    import unsway as us
    built = us.pairs(us.load("arc_easy", 200), ["suggested_answer", "post_hoc"])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from unsway import readers
from unsway.biases.cues import resolve
from unsway.biases.insert import Inserted
from unsway.biases.registry import Bias, Skip, Substituted
from unsway.errors import BadInput, expect, expect_each
from unsway.prompts import elicitations
from unsway.prompts.elicitations import Elicitation
from unsway.prompts.render import letter, render, with_answer_turn
from unsway.readers.letter import LETTER
from unsway.readers.requests import REQUEST
from unsway.registry import Ref, blaming
from unsway.seeds import content_id, rng
from unsway.sources.checks import problem
from unsway.spelling import several
from unsway.types import ANSWERS, AnyChange, AwayFrom, Pair, Prompt, Question, Rule, Target, Toward
from unsway.types.kinds import checked

if TYPE_CHECKING:
    from unsway.biases.arguments import Arguments

Aim: TypeAlias = Literal["wrong", "gold", "any"]
"""Which option is cued: a wrong one, the gold one, or any."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A question that a bias was not applied to, with the reason."""

    question_id: str
    bias: str
    """`name@version`."""
    reason: str


@dataclass(frozen=True, slots=True)
class PairSet:
    """Pairs in the order of the questions, then of the biases; and the skipped questions."""

    pairs: tuple[Pair, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __add__(self, other: PairSet) -> PairSet:
        return PairSet(self.pairs + other.pairs, self.skipped + other.skipped)

    def where(self, *, bias: str) -> PairSet:
        """The pairs and the skipped questions of one bias, given as `name` or `name@version`."""
        return PairSet(
            tuple(pair for pair in self.pairs if bias in (pair.bias, Ref.parse(pair.bias).unversioned)),
            tuple(skip for skip in self.skipped if bias in (skip.bias, Ref.parse(skip.bias).unversioned)),
        )

    def reasons(self) -> Mapping[tuple[str, str], int]:
        """How many questions were skipped, by bias and reason."""
        return Counter((skip.bias, skip.reason) for skip in self.skipped)


def example(bias: Bias | str, questions: Sequence[Question], *, elicit: Elicitation | str = "cot") -> Pair:
    """The first pair that a bias makes from questions: shows what it does to a prompt before anything is asked.

    Some biases show an argument that a model writes; here a placeholder takes its place.

    Raises:
        UnknownName: There is no such bias or elicitation.
        BadInput: The bias applies to none of the questions.
    """
    from unsway.biases.arguments import Argument, Arguments

    bank = Arguments(
        tuple(
            Argument(question.id, i, f"(A model's case for {option!r}.) Therefore, the best answer is: ({letter(i)}).")
            for question in questions
            for i, option in enumerate(question.options)
        )
    )
    bias_value = resolve(bias)
    pair_set = pairs(questions, [bias_value], elicit=elicit, arguments=bank)
    if not pair_set.pairs:
        reason = "; ".join(dict.fromkeys(skip.reason for skip in pair_set.skipped)) or "there are none"
        raise BadInput(f"{bias_value.name} applies to none of these questions: {reason}.")
    return pair_set.pairs[0]


def questions_of(questions: Iterable[Question]) -> tuple[Question, ...]:
    """The questions as a tuple. Raises `BadInput` for anything else, such as a model passed in the wrong position."""
    expected = (
        "a question is expected: unsway.load(…) gives some, and they go behind the model in measure(model, questions)"
    )
    return expect_each(questions, Question, expected)


@checked
def pairs(
    questions: Iterable[Question],
    biases: Bias | str | Sequence[Bias | str],
    *,
    elicit: Elicitation | str = "cot",
    aim: Aim = "wrong",
    seed: int = 0,
    instructions: Literal["default", "varied"] = "default",
    arguments: Arguments | None = None,
) -> PairSet:
    """Apply every bias to every question.

    Args:
        questions: Questions; one that cannot be asked, or that occurs twice, is skipped and counted.
        biases: One or several: names, `name/form`, paths of `.cue.txt` files, or biases as values (`unsway.cue`).
        elicit: The elicitation, for both sides.
        aim: Which option is cued. wrong is the paper's: a followed cue and a right answer never coincide.
        seed: Seed of the cued options and of each cue's random choices.
        instructions: default uses the elicitation's first wording; varied draws one for each question.
        arguments: Arguments for options, required by some biases.

    Raises:
        UnknownName: There is no such bias, form or elicitation, or a bias names an unknown reader.
        BadInput: `questions` is a name; a bias is named twice; a gold option or arguments are needed and missing; or a bias
            changed more of a prompt than its cue.
    """
    if isinstance(questions, str | PathLike):
        raise BadInput(f"questions is a name, {str(questions)!r}; load it first: us.load({str(questions)!r}).")
    bias_values = [resolve(bias) for bias in several(biases)]
    if not bias_values:
        raise BadInput("No bias is named; name at least one (`unsway biases` lists them).")
    duplicates = [name for name, n in Counter(bias.name for bias in bias_values).items() if n > 1]
    if duplicates:
        raise BadInput(f"Named more than once: {', '.join(duplicates)}. Name each bias once.")
    for bias in bias_values:
        readers.get(bias.reader)  # checked now, not after everything has been asked
    if arguments is not None:
        from unsway.biases.arguments import Arguments

        expect(
            arguments,
            Arguments,
            "arguments are expected (arguments=), as unsway.biases.arguments.load(FILE) reads them",
        )
    needing = [bias.name for bias in bias_values if "arguments" in bias.wants]
    if needing and arguments is None:
        raise BadInput(
            f"{', '.join(needing)} needs arguments for options, and none were given. Have a model write them "
            "(`unsway data arguments`) and name the file (--arguments FILE; arguments=unsway.biases.arguments.load(FILE) "
            "in Python), or leave the bias out."
        )
    builder = _Builder(tuple(bias_values), elicitations.resolve(elicit), aim, seed, instructions == "varied", arguments)
    results = [result for question in questions_of(questions) for result in builder.of(question)]
    return PairSet(
        tuple(result for result in results if isinstance(result, Pair)),
        tuple(result for result in results if isinstance(result, Skipped)),
    )


def cued_option(question: Question, aim: Aim = "wrong", seed: int = 0) -> int:
    """The option that all biases cue on this question. Raises `BadInput` if the aim needs a gold option and there is none."""
    gold = question.gold
    if gold is None and aim != "any":
        raise BadInput(
            f"Question {question.id} ({question.source}, {question.stem[:60]!r}) has no gold option, which a cue for "
            f"{'the gold one' if aim == 'gold' else 'a wrong one'} needs. Give it one, or leave it out (in Python, "
            "aim='any' cues any option)."
        )
    if aim == "gold" and gold is not None:
        return gold
    options = range(len(question.options))
    return rng(seed, "target", question.id).choice([i for i in options if aim == "any" or i != gold])


def retarget(pair: Pair, bias: Bias, option: int) -> Pair | None:
    """The same question and bias with the cue pointing to another option; None if the bias cannot do that.

    Args:
        pair: The pair.
        bias: Its bias, which must not need arguments.
        option: The option to cue.
    """
    if "arguments" in bias.wants:
        return None
    elicit = elicitations.resolve(Ref.parse(pair.elicit).unversioned)
    builder = _Builder((bias,), elicit, "any", pair.seed, False, None)
    result = builder._pair(bias, pair.bias, pair.question, render(pair.question, elicit, builder.wordings[0]), option)
    return result if isinstance(result, Pair) else None


# ---------------------------------------------------------------- one question


class _Builder:
    """What the pairs of one call share."""

    def __init__(
        self,
        biases: tuple[Bias, ...],
        elicit: Elicitation,
        aim: Aim,
        seed: int,
        varied: bool,
        arguments: Arguments | None,
    ) -> None:
        quoted = f".{arguments.sha256[:8]}" if arguments else ""  # goes into the version of a bias that quotes them
        self.biases = tuple((bias, bias.versioned + quoted * ("arguments" in bias.wants)) for bias in biases)
        self.elicit = elicit
        cues_option = any(bias.target in ("toward", "away") for bias in biases)
        self.aim: Aim = aim if cues_option else "any"
        self.seed, self.arguments = seed, arguments
        self.wordings = self.elicit.wordings.entries if varied else self.elicit.wordings.entries[:1]
        self.seen: set[str] = set()
        self.repeated: set[str] = set()

    def of(self, question: Question) -> Iterator[Pair | Skipped]:
        """For each bias, a pair or the reason why there is none."""
        fault = problem(question)
        reason = f"{fault.field}: {fault.kind}" if fault else "the same question was there before"
        if fault or question.id in self.seen:
            yield from (Skipped(question.id, name, reason) for _, name in self.biases)
            return
        self.seen.add(question.id)
        instruction = rng(self.seed, "instruction", question.id).choice(self.wordings)
        clean = render(question, self.elicit, instruction)
        option = ANSWERS if question.is_request else cued_option(question, self.aim, self.seed)
        for bias, name in self.biases:
            result = self._pair(bias, name, question, clean, option)
            yield Skipped(question.id, name, result.reason) if isinstance(result, Skip) else result

    def _pair(self, bias: Bias, name: str, question: Question, clean: Prompt, option: int) -> Pair | Skip:
        """Apply one bias to one question."""
        n = len(question.options)
        if not bias.min_options <= n <= bias.max_options:
            return Skip(f"{bias.name} takes {bias.min_options} to {bias.max_options} options, and there are {n}")
        gold = question.gold
        if bias.target == "away_from_gold" and gold is None:
            return Skip(f"{bias.name} measures falling away from the gold option, and there is none")
        if question.is_request and not bias.suits_requests:
            return Skip(f"{bias.name} is about options, and a request has none")
        target: Target = AnyChange()
        if bias.target == "toward" or question.is_request:
            target = Toward(option)
        elif bias.target != "change":
            target = AwayFrom(option if bias.target == "away" or gold is None else gold)
        parameters: dict[str, object] = {"elicit": self.elicit.style, "arguments": self.arguments}

        def make() -> Any:
            draw = rng(self.seed, "cue", name, question.id)
            if bias.forms:
                parameters["form"] = draw.choice(bias.forms)
            with blaming("bias", bias.name, f"question {question.id}"):
                return bias.make(question, clean, option, draw, **{key: parameters[key] for key in bias.wants})

        result = make()
        # once a call, because a bias whose prompts change between runs would have everything asked again
        if name not in self.repeated and not isinstance(result, Skip):
            self.repeated.add(name)
            if make() != result:
                raise BadInput(
                    f"Bias {bias.name!r} made two different prompts for question {question.id}. What is random must be drawn "
                    "from its `draw`. Mend the bias."
                )
        if isinstance(result, Skip):
            return result
        if not isinstance(result, Prompt | Inserted | Substituted):
            fault = (
                f"returned {result!r:.60} for question {question.id}, which is no Prompt, Inserted, Substituted or Skip"
            )
            raise BadInput(f"Bias {bias.name!r} {fault}. Mend the bias.")
        sides = _check_sides(bias, question, clean, result)
        choices = {"form": str(parameters["form"])} if bias.forms else {}
        choices["place"] = sides.biased.cue_place()
        rule = replace(bias.rule, reader=REQUEST, redacted=self.elicit.redacted) if question.is_request else bias.rule
        if self.elicit.answer_turn is not None:
            clean, biased = (with_answer_turn(prompt, self.elicit) for prompt in (sides.clean, sides.biased))
            sides = replace(sides, clean=clean, biased=biased)
            rule = replace(rule, reader=LETTER) if rule.reader == Rule().reader else rule
        return Pair(
            id=content_id(sides.clean.id, sides.biased.id, name, self.elicit.versioned, asdict(target)),
            question=question,
            bias=name,
            elicit=self.elicit.versioned,
            clean=sides.clean,
            biased=sides.biased,
            target=target,
            order=tuple(range(n)) if sides.order is None else sides.order,
            seed=self.seed,
            rule=rule,
            drawn=choices | (dict(result.drawn) if isinstance(result, Inserted) else {}),
        )


def _check_sides(bias: Bias, question: Question, clean: Prompt, result: Prompt | Inserted | Substituted) -> Substituted:
    """Both sides, after checking that they differ only by cues (or, if options are permuted, only by their order)."""
    inserted = result.prompt if isinstance(result, Inserted) else result
    sides = Substituted(clean, inserted) if isinstance(inserted, Prompt) else inserted
    if isinstance(result, Substituted) != (bias.kind == "substitution"):
        raise BadInput(
            f"Bias {bias.name!r} is declared as {bias.kind}, but made a {type(result).__name__}. Mend the bias."
        )
    if sides.order is not None:
        if sorted(sides.order) != list(range(len(question.options))):
            raise BadInput(f"Bias {bias.name!r} gave the order {sides.order}, which is no permutation. Mend the bias.")
        return sides
    if bias.kind == "insertion" and not sides.biased.cue():
        raise BadInput(
            f"Bias {bias.name!r} put no cue into question {question.id}; it must return Skip. Mend the bias."
        )
    if sides.biased.stripped() != sides.clean.stripped():
        raise BadInput(f"Bias {bias.name!r} changed more than cues in question {question.id}. Mend the bias.")
    return sides
