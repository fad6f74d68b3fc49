"""Does the answer depend on the reasoning? Change a reply's reasoning, ask for the answer again, and see whether it moves.

In: `Results`, names of tests, the model. Out: `Interrogated`: a row for each tested reply, and numbers by arm and bias. The
tests are those of Lanham et al. (arXiv 2307.13702, §2), and `shuffle`, that of Bentham et al. (arXiv 2402.14897, §2). Every
answer, including the one after the whole reasoning, is asked for in the same form, so only the reasoning differs.

    tests = interrogate(results, ["early", "mistakes"], helper="openai/gpt-4o-mini")
    tests.cells[0].raw["early"].value   # 0: the answer is fixed before any reasoning; 1: it needs all of it

Replies are stored by address in FOLDER/interrogation, so a second call asks only what is missing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Unpack

from unsway import layout
from unsway.banks import bank
from unsway.disk import exclusive
from unsway.errors import BadInput, ModelError, expect_count
from unsway.interventions import thoughts
from unsway.interventions.thoughts import Reasoning, reasoning_of
from unsway.prompts.render import option_parts, render
from unsway.readers.multiple_choice import MultipleChoice
from unsway.registry import Ref
from unsway.sampling import ask as ask_prompts
from unsway.sampling.options import Sampling, opened
from unsway.seeds import rng, seed_int
from unsway.stats.thought_tests import ThoughtTestCell, thought_test_cells
from unsway.store import write_jsonl
from unsway.studies.folder import kept_tests, study_of
from unsway.studies.prefilling import FEWEST_FINISHED, Replies, count_finished
from unsway.studies.results import Results, views
from unsway.types import (
    ArmKey,
    Mode,
    NoReasoning,
    Outcome,
    Pair,
    Prompt,
    Reading,
    Reply,
    Settings,
    Side,
    ThoughtTest,
    Turn,
)
from unsway.types.address import reply_id
from unsway.types.kinds import checked

if TYPE_CHECKING:
    from unsway.models.session import ModelLike, Session, Subject
    from unsway.sampling.options import SamplingOptions

FILLER_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Lengths of the filler dots, as fractions of the number of words in the reasoning."""
ANSWER_TOKENS = {"answer_opening": 8, "answer_opening_brief": 24, "answer_after": 24}
"""Maximum tokens of an answer, by the wording that asks for it: a letter and the start of its option, or the option; ours."""
HELPER_TOKENS = 160
"""Maximum tokens of a helper's sentence. Our choice."""
_log = logging.getLogger(__name__)


class Unit(NamedTuple):
    """One reply to be tested."""

    outcome: Outcome
    pair: Pair
    side: Side
    reply: Reply
    reasoning: Reasoning | None
    """The reasoning to test; None if there is none."""
    mode: Mode
    why: NoReasoning = ""
    """Why there is no reasoning to test."""

    @property
    def prompt(self) -> Prompt:
        """The prompt that was asked."""
        return self.pair.clean if self.side == "clean" else self.pair.biased


@dataclass(frozen=True, slots=True)
class Interrogated:
    """How a study's answers changed when the reasoning before them was changed."""

    tests: tuple[ThoughtTest, ...] = field(repr=False)
    """A row for each test of one reply."""
    cells: tuple[ThoughtTestCell, ...]
    """Numbers by arm, bias (empty for all clean replies together), mode and helper."""

    def __repr__(self) -> str:
        """The table, for a terminal."""
        return str(views.get("interrogated")(self))


@checked
def interrogate(
    results: Results | str | Path,
    ask: str | Sequence[str] = "early",
    *,
    model: ModelLike | None = None,
    helper: ModelLike | None = None,
    mode: Literal["auto", "prefill", "quoted"] = "auto",
    n: int | None = None,
    seed: int = 0,
    model_args: Mapping[str, Any] | None = None,
    **sampling: Unpack[SamplingOptions],
) -> Interrogated:
    """Ask a model for its answers again, with its own reasoning truncated, corrupted, paraphrased or replaced by filler.

    Args:
        results: The study, or its folder; a folder also stores the results.
        ask: Names of tests: early, mistakes, paraphrase, filler, shuffle.
        model: The model under test; its arm is found by name and weights. None takes the study's own model.
        helper: Another model, which writes mistakes and paraphrases.
        mode: `prefill` starts the model's reply with the reasoning, `quoted` quotes it in the question; `auto` prefills
            if a test with half-finished words shows that prefills reach the model.
        n: Maximum number of pairs of each bias, drawn by the seed; None takes all.
        seed: Seed of that draw and of shuffles.
        model_args: Arguments of the provider of the model under test.
        sampling: As for `unsway.sampling.ask`, except settings and samples: answers are greedy.

    Raises:
        UnknownName: There is no such test.
        BadInput: A test needs a helper, the helper is the model itself, or the model is not an arm of the study.
        ModelError: `mode` is prefill and prefills do not reach the model; or as `ask`. Everything so far is kept.
    """
    names = thoughts.check_tests([ask] if isinstance(ask, str) else ask, helper)
    expect_count(n)
    results, folder = study_of(results, sampling.pop("folder", None))
    reply_folder = None if folder is None else f"{folder}/{layout.INTERROGATION}"
    with ExitStack() as stack:
        tested_model = results.model if model is None else model
        options = replace(Sampling(**sampling), folder=reply_folder, samples=1)
        session, options, _ = stack.enter_context(opened(tested_model, options, model_args))
        ask_model = _asker(session, options)
        key = key_of(results, session.subject.name, session.subject)
        ask_helper, helper_name = None, ""
        if helper is not None:
            helper_session, *_ = stack.enter_context(opened(helper, options, None))
            ask_helper, helper_name = _asker(helper_session, options), helper_session.subject.name
            if (helper_name, helper_session.subject.weights) == (key.model, key.weights):
                raise BadInput("The helper is the model under test: its mistakes would be its own. Name another model.")
        can_prefill = mode != "quoted" and _takes_prefill(ask_model, session, is_needed=mode == "prefill")
        units = units_of(results, key, can_prefill=can_prefill, is_needed=mode == "prefill", n=n, seed=seed)
        rows = [row for name in names for row in _test_units(name, units, ask_model, ask_helper, seed)]
        rows = [replace(row, helper=helper_name) if row.test in thoughts.HELPED else row for row in rows]
    if folder is not None:
        keep_tests(folder, rows)
    return Interrogated(tuple(rows), thought_test_cells(results.outcomes, results.questions, rows))


def keep_tests(folder: str | Path, new: Iterable[ThoughtTest]) -> None:
    """Add rows to a folder, replacing earlier rows of the same test of the same reply."""
    with exclusive(folder):
        rows = (*kept_tests(Path(folder)), *new)
        latest = {(row.reply, row.pair, row.side, row.test, row.mode, row.helper): row for row in rows}
        write_jsonl(Path(folder) / layout.INTERROGATED, latest.values(), wordings=bank(thoughts.BANK).versioned)


# ---------------------------------------------------------------- what is tested


def key_of(results: Results, model: str, who: Subject | None = None) -> ArmKey:
    """The key of the arm that belongs to a model, matched by weights or address if these are known.

    Raises:
        BadInput: The model is not an arm, or the arm was asked with other weights or at another address.
    """
    candidates = [arm for arm in results.arms if arm.model == model and not arm.intervention]
    for arm in candidates:
        if who is None or who.weights == arm.weights:
            return arm.key
    if candidates and who is not None and (reason := who.elsewhere(candidates[0].weights)):
        raise BadInput(reason)
    allowed = ", ".join(f"{arm.label} ({arm.name})" for arm in results.arms if not arm.intervention)
    weights = f" (weights {who.weights})" if who is not None and who.weights else ""
    raise BadInput(
        f"{model}{weights} is no arm of this study, so its reasoning is not there. "
        f"Name the model of one of these: {allowed}. Arms under an intervention are not interrogated."
    )


def units_of(
    results: Results, key: ArmKey, *, can_prefill: bool, is_needed: bool = False, n: int | None = None, seed: int = 0
) -> list[Unit]:
    """The replies of an arm: those to test, and those without reasoning to test (with the reason)."""
    pairs = {pair.id: pair for pair in results.pairs}
    units = dict[tuple[str, str], Unit]()
    counts = dict[str, int]()
    outcomes = [o for o in results.outcomes if o.arm == key and not pairs[o.pair_id].question.is_request]
    for outcome in sorted(
        outcomes, key=lambda o: (seed_int(seed, "interrogated", o.question_id), o.question_id, o.sample)
    ):
        counts[outcome.bias] = counts.get(outcome.bias, 0) + 1
        if n is not None and counts[outcome.bias] > n:
            continue
        pair = pairs[outcome.pair_id]
        sides: tuple[tuple[Side, Reading, Prompt], ...] = (
            ("clean", outcome.clean, pair.clean),
            ("biased", outcome.biased, pair.biased),
        )
        for side, reading, prompt in sides:
            reply = results.reply(key, prompt, outcome.sample)
            if reply is None:
                continue
            reasoning = reasoning_of(pair, side, reply, reading)
            unit = Unit(outcome, pair, side, reply, None, "quoted", reasoning if isinstance(reasoning, str) else "")
            if isinstance(reasoning, Reasoning):
                prefill = can_prefill and reasoning.can_prefill
                unit = unit._replace(reasoning=reasoning, mode="prefill" if prefill else "quoted")
                if is_needed and not prefill:
                    unit = unit._replace(reasoning=None, mode="prefill", why="channel")
            units.setdefault((reply_id(reply), pair.id if side == "biased" else ""), unit)
    return list(units.values())


# ---------------------------------------------------------------- asking


def _asker(session: Session, options: Sampling) -> Callable[[Iterable[Prompt], int], Replies]:
    """Return a function that asks one model prompts, greedily."""

    def ask_model(prompts: Iterable[Prompt], max_tokens: int) -> Replies:
        settings = Settings(max_tokens=max_tokens)
        return {reply.prompt_id: reply for reply in ask_prompts(prompts, session, options, settings=settings)}

    return ask_model


def _takes_prefill(ask_model: Callable[[Iterable[Prompt], int], Replies], session: Session, *, is_needed: bool) -> bool:
    """Whether prefills reach the model. Raises `ModelError` if they do not and `is_needed`."""
    try:
        n_finished, n_words = count_finished(ask_model)
    except ModelError:
        if is_needed:
            raise
        return False
    if n_finished >= FEWEST_FINISHED:
        return True
    fact = f"{session.subject.name} finished {n_finished} of {n_words} words that its reply was begun with"
    if is_needed:
        raise ModelError(
            f"{fact}, so the beginning of a reply is dropped on the way or not understood. Take --mode quoted, which quotes "
            "the reasoning in the question; its numbers are not comparable with those of a prefill."
        )
    _log.warning("%s: the reasoning is quoted in the question instead.", fact)
    return False


def _test_units(name: str, units: Sequence[Unit], ask_model: Any, ask_helper: Any, seed: int) -> list[ThoughtTest]:
    """The rows of one test."""
    usable = [unit for unit in units if unit.reasoning is not None]
    whole_answers = _answers(
        usable, [["".join(unit.reasoning.sentences)] for unit in usable if unit.reasoning], ask_model
    )
    if name == "shuffle":
        points, orders = _shuffle(usable, ask_model, seed)
    else:
        points, orders = _answers(usable, _starts(name, usable, ask_model, ask_helper), ask_model), [()] * len(usable)
    results_by_unit = dict(zip(map(id, usable), zip(whole_answers, points, orders, strict=True), strict=True))
    rows = []
    for unit in units:
        (answer,), answers, order = results_by_unit.get(id(unit), ((None,), (), ()))
        rows.append(
            ThoughtTest(
                reply=reply_id(unit.reply),
                arm=unit.outcome.arm,
                pair=unit.pair.id,
                side=unit.side,
                sample=unit.outcome.sample,
                test=name,
                mode=unit.mode,
                own=getattr(unit.outcome, unit.side).choice,
                cued=unit.pair.target.cued if unit.pair.target.stance == "for" else None,
                whole=answer,
                answers=tuple(answers),
                order=tuple(order),
                missing=unit.why,
            )
        )
    return rows


def _starts(name: str, units: Sequence[Unit], ask_model: Any, ask_helper: Any) -> list[list[str | None]]:
    """The changed reasonings of each unit, in the order of its curve's points; None where the helper wrote nothing usable."""
    sentences = [unit.reasoning.sentences for unit in units if unit.reasoning]
    if name == "early":
        return [["".join(parts[:j]) for j in range(len(parts) + 1)] for parts in sentences]
    if name == "filler":
        return [[thoughts.filler(unit.reasoning, share) for share in FILLER_SHARES] for unit in units if unit.reasoning]
    if name == "paraphrase":
        prompts = {sentence: thoughts.paraphrase_prompt(sentence) for parts in sentences for sentence in parts}
        replies = ask_helper(prompts.values(), HELPER_TOKENS)
        paraphrases = {s: thoughts.helper_sentence(replies[prompt.id], s) for s, prompt in prompts.items()}
        return [
            [
                "".join(paraphrases[s] for s in parts[:j]) if all(paraphrases[s] for s in parts[:j]) else None
                for j in range(1, len(parts) + 1)
            ]
            for parts in sentences
        ]
    return _add_mistakes(units, ask_model, ask_helper)


def _add_mistakes(units: Sequence[Unit], ask_model: Any, ask_helper: Any) -> list[list[str | None]]:
    """Each unit's reasoning with a mistake in its first, second, … sentence, continued by the model from there."""
    requests: dict[tuple[int, int], tuple[str, str, Prompt]] = {}
    for i, unit in enumerate(units):
        question = unit.pair.question
        if unit.side == "biased":  # options in the order that the biased prompt shows
            question = replace(question, options=tuple(question.options[k] for k in unit.pair.order))
        parts = unit.reasoning.sentences if unit.reasoning else ()
        for j, sentence in enumerate(parts):
            before = "".join(parts[:j])
            requests[i, j] = before, sentence, thoughts.mistake_prompt(question, before, sentence)
    replies = ask_helper((prompt for *_, prompt in requests.values()), HELPER_TOKENS)
    continuations: dict[tuple[int, int], tuple[str, Prompt]] = {}
    for (i, j), (before, sentence, prompt) in requests.items():
        mistake, unit = thoughts.helper_sentence(replies[prompt.id], sentence), units[i]
        if mistake and unit.reasoning:
            start = before + mistake
            continuations[i, j] = start, thoughts.continuation_prompt(unit.prompt, unit.reasoning, start, unit.mode)
    by_length: dict[int, list[Prompt]] = {}
    for (i, _), (_, prompt) in continuations.items():
        by_length.setdefault(units[i].reply.settings.max_tokens, []).append(prompt)
    added_replies = {key: r for limit, prompts in by_length.items() for key, r in ask_model(prompts, limit).items()}
    reasonings: list[list[str | None]] = [[None] * len(unit.reasoning.sentences) for unit in units if unit.reasoning]
    for (i, j), (start, prompt) in continuations.items():  # append what the model added, up to its answer
        unit, reply = units[i], added_replies[prompt.id]
        opening, added = unit.reasoning.opening if unit.reasoning else "", thoughts.continuation(prompt, reply.text)
        between = "\n" if unit.mode == "quoted" else "" if added[:1].isspace() else " "
        whole_reply = replace(reply, text=f"{opening}{start.rstrip()}{between}{added}", reasoning=None, thought="none")
        reasoning = reasoning_of(unit.pair, unit.side, whole_reply, MultipleChoice()(unit.pair, unit.side, whole_reply))
        if isinstance(reasoning, Reasoning):
            reasonings[i][j] = "".join(reasoning.sentences)
        elif reply.stop != "length":
            reasonings[i][j] = whole_reply.text.removeprefix(opening)
    return reasonings


def _answers(units: Sequence[Unit], starts: Sequence[Sequence[str | None]], ask_model: Any) -> list[list[int | None]]:
    """The answer of each unit after each start, as an option index in the question's own order; None if unreadable.

    The opening words of a prefilled answer are put back in front of it.
    """
    prompts = [
        [
            None if start is None else thoughts.answer_prompt(unit.prompt, unit.reasoning, start, unit.mode)
            for start in unit_starts
        ]
        for unit, unit_starts in zip(units, starts, strict=True)
        if unit.reasoning
    ]
    forms = ["answer_after" if u.mode == "quoted" else u.reasoning.answer for u in units if u.reasoning]
    replies: dict[str, Reply] = {}
    for form, max_tokens in ANSWER_TOKENS.items():
        form_prompts = [p for group, kind in zip(prompts, forms, strict=True) for p in group if p and kind == form]
        replies |= ask_model(form_prompts, max_tokens) if form_prompts else {}
    answers: list[list[int | None]] = []
    for unit, form, unit_prompts in zip(units, forms, prompts, strict=True):
        answers.append([])
        words = "" if form == "answer_after" else thoughts.wordings()[form].strip()
        for prompt in unit_prompts:
            reply = None if prompt is None else replies[prompt.id]
            text = reply and (
                f"{words}{reply.text}" if words.endswith("(") else f"{words} {reply.text.lstrip()}".lstrip()
            )
            full_reply = reply and replace(reply, text=text or "", reasoning=None, stop="end")
            answers[-1].append(MultipleChoice()(unit.pair, unit.side, full_reply).choice if full_reply else None)
    return answers


def _shuffle(units: Sequence[Unit], ask_model: Any, seed: int) -> tuple[list[list[int | None]], list[tuple[int, ...]]]:
    """Answers to clean prompts without reasoning, in the order shown and in a shuffled one; and the shuffled orders."""
    orders, variants = [], []
    for unit in units:
        question = unit.pair.question
        generator = rng(seed, "shuffled options", question.id)
        order = list(range(len(question.options)))
        while order == sorted(order) and len(order) > 1:
            generator.shuffle(order)
        orders.append(tuple(order))
        is_plain = unit.side == "clean" and unit.pair.clean == render(question, Ref.parse(unit.pair.elicit).name)
        *before, last_turn = unit.prompt.turns
        parts = iter(option_parts([question.options[i] for i in order]))
        reordered = tuple(next(parts) if part.kind == "option" else part for part in last_turn.parts or ())
        prompt = Prompt((*before, Turn(last_turn.role, reordered)))
        pair = replace(unit.pair, biased=prompt, order=tuple(order))
        variants.append(unit._replace(pair=pair, side="biased") if is_plain else None)
    first = _answers(units, [[""] for _ in units], ask_model)
    plain_units = [unit for unit in variants if unit is not None]
    second = iter(_answers(plain_units, [[""] for _ in plain_units], ask_model))
    return [answers + (next(second) if unit else [None]) for answers, unit in zip(first, variants, strict=True)], orders
