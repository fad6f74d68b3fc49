"""The first half of `pitfalls.py`: answers that are missing, ratios, and biases whose clean rate is 0.

In: a number of studies. Out: for each section a table, and whether the package is right about it.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from coverage_exact import generator, percent, table

from unsway.biases.registry import Bias, Substituted
from unsway.pairing import pairs
from unsway.prompts.render import render
from unsway.stats.columns import Columns, brr
from unsway.stats.compare import brr_difference, brr_ratio
from unsway.stats.estimates import cells
from unsway.stats.outcomes import outcomes
from unsway.testing import toy_questions
from unsway.types import ArmKey, Estimate, Excluded, Outcome, Pair, Prompt, Question, Reading, Reply, Rule, Settings

Section = tuple[list[str], bool]
READ, UNREAD = Reading(0, "ok"), Reading(None, "unparsed")
CLEAN = 0.15
"""Clean replies that give the cued answer."""


def arm(
    clean_Q: np.ndarray,
    biased_Q: np.ndarray,
    unread_Q: np.ndarray,
    *,
    name: str = "base",
    bias: str = "cue@1",
    rule: Rule = Rule(),  # noqa: B008  # frozen
) -> tuple[Outcome, ...]:
    """Outcomes of one arm, a question each; `unread_Q` says whose biased reply is not read."""
    arm_outcomes = []
    for i, (clean, biased, unread) in enumerate(zip(clean_Q, biased_Q, unread_Q, strict=True)):
        sides = (READ, UNREAD if unread else READ, None if clean is None else bool(clean))
        hit = None if unread else bool(biased)
        excluded = Excluded("biased", "unparsed") if unread else None
        address = (f"p{i}", f"q{i}", "toy@1", bias, "cot@1", ArmKey(name), 0)
        arm_outcomes.append(Outcome(*address, *sides, hit, None, None, excluded, rule, "toy"))
    return tuple(arm_outcomes)


def covers(estimate: Estimate, truth: float) -> bool:
    """Whether the interval holds the truth; a refused one does not count against it."""
    return estimate.low is None or estimate.high is None or estimate.low <= truth <= estimate.high


def share(flags: list[bool]) -> float:
    return float(np.mean(flags)) if flags else float("nan")


def least(nominal: float, draws: int) -> float:
    """What a coverage of 95 % may fall to by the chance of the simulation."""
    return nominal - 2.58 * float(np.sqrt(nominal * (1 - nominal) / draws))


# ---------------------------------------------------------------- answers that are unread because of the cue


def missing_section(draws: int) -> Section:
    """30 % of the biased replies that agree with the cue are unread: in both arms, in one, in the other."""
    rows, good = [], True
    printed = ("base BRR", "trained BRR", "difference", "ratio")
    settings = product((150, 600), (("both", 0.3, 0.15), ("base", 0.3, 0.15), ("trained", 0.3, 0.3)))
    for n, (unread_in, follow_base, follow_trained) in settings:
        draw, times = generator("missing", n, unread_in), draws if n == 150 else draws // 2
        truth_b, truth_t = (follow * (1 - CLEAN) for follow in (follow_base, follow_trained))
        covered: dict[str, list[bool]] = {name: [] for name in printed}
        values = []
        for _ in range(times):
            clean = draw.random(n) < CLEAN
            hits = [clean | (draw.random(n) < follow) for follow in (follow_base, follow_trained)]
            unread = [
                hit & (draw.random(n) < 0.3) if unread_in in ("both", label) else np.zeros(n, bool)
                for hit, label in zip(hits, ("base", "trained"), strict=True)
            ]
            base, trained = (arm(clean, h, u, name=m) for h, u, m in zip(hits, unread, "bt", strict=True))
            brr_b, brr_t = (brr(Columns.of(side), 0.95) for side in (base, trained))
            change, ratio = brr_difference(trained, base), brr_ratio(trained, base, draws=300)
            covered["base BRR"].append(covers(brr_b, truth_b))
            covered["trained BRR"].append(covers(brr_t, truth_t))
            covered["difference"].append(covers(change, truth_t - truth_b))
            covered["ratio"].append(covers(ratio, truth_t / truth_b))
            values.append(change.value or 0.0)
        shares = [share(flags) for flags in covered.values()]
        good &= min(shares) >= least(0.95, times)
        rows.append((n, unread_in, f"{truth_t - truth_b:+.3f}", f"{np.mean(values):+.3f}", *map(percent, shares)))
    heads = ("questions", "unread in", "true difference", "mean printed", *(f"{name} covers %" for name in printed))
    return table(heads, rows), good


# ---------------------------------------------------------------- ratios, each arm on its own questions


def own_section(draws: int) -> Section:
    """A base and two arms of which 12 and 18 % of the questions were never asked: is a ratio given to both or to neither?"""
    rows, good, n = [], True, 150
    for follow in (0.05, 0.1, 0.2, 0.35):
        draw, truth = generator("own", follow), 0.5
        covered, widths, matched_widths, only_one, deviates = [], [], [], [], []
        for _ in range(draws):
            clean = draw.random(n) < CLEAN
            arms = {}
            for name, rate, share_lost in (
                ("base", follow, 0.12),
                ("bct", follow / 2, 0.18),
                ("control", follow / 2, 0.18),
            ):
                all_outcomes = arm(clean, clean | (draw.random(n) < rate), np.zeros(n, bool), name=name)
                arms[name] = [o for o, keep in zip(all_outcomes, draw.random(n) >= share_lost, strict=True) if keep]
            ratios = [brr_ratio(arms[name], arms["base"], draws=500) for name in ("bct", "control")]
            has_value = [ratio.value is not None for ratio in ratios]
            only_one.append(has_value[0] != has_value[1])
            below = brr(Columns.of(arms["base"]), 0.95).value
            for name, ratio in zip(("bct", "control"), ratios, strict=True):
                if ratio.value is None or ratio.low is None or ratio.high is None or not below:
                    continue
                above = brr(Columns.of(arms[name]), 0.95).value or 0.0
                deviates.append(abs(ratio.value - above / below) > 1e-9)
                covered.append(covers(ratio, truth))
                common = {o.question_id for o in arms[name]} & {o.question_id for o in arms["base"]}
                matched_ratio = brr_ratio(
                    *([o for o in arms[m] if o.question_id in common] for m in (name, "base")), draws=500
                )
                if matched_ratio.low is not None and matched_ratio.high is not None:
                    widths.append(ratio.high - ratio.low)
                    matched_widths.append(matched_ratio.high - matched_ratio.low)
        narrower = 1 - float(np.median(widths)) / float(np.median(matched_widths))
        good &= not any(only_one) and not any(deviates) and share(covered) >= least(0.95, len(covered)) - 0.01
        rows.append((follow, *map(percent, (share(only_one), share(deviates), share(covered), narrower))))
    heads = (
        "base follows",
        "one arm only has a ratio %",
        "not the quotient of the BRRs %",
        "covers %",
        "narrower by %",
    )
    return table(heads, rows), good


def selection_section(draws: int) -> Section:
    """A truth of half the base's BRR: what is printed where the base is weak, and how often that is said."""
    rows, good = [], True
    for n, base in ((110, 0.05), (150, 0.07), (110, 0.1), (110, 0.15), (110, 0.25), (600, 0.25)):
        draw, values, has_note = generator("selection", n, base), [], []
        for _ in range(draws if n < 600 else draws // 4):
            flip, none = draw.random(n) < 0.03, np.zeros(n, bool)
            sides = [arm(flip, draw.random(n) < rate + 0.03, none, name=f"{rate}") for rate in (base / 2, base)]
            ratio = brr_ratio(*sides, draws=50)
            if ratio.value is not None:
                values.append(ratio.value)
                has_note.append(bool(ratio.note))
        share_given = len(values) / (draws if n < 600 else draws // 4)
        good &= share(has_note) >= 0.6 if share_given < 0.8 else share(has_note) <= 0.25 if base == 0.25 else True
        rows.append((n, base, percent(share_given), f"{np.median(values):.2f}", percent(share(has_note))))
    return table(("questions", "base BRR", "ratio given %", "median given, truth 0.50", "and said %"), rows), good


# ---------------------------------------------------------------- clean rates that are 0 by definition


def swapped(question: Question, clean: Prompt, option: int, draw: object) -> Substituted:
    """The options the other way round."""
    reversed_question = Question(question.stem, question.options[::-1], None, question.source, question.split)
    return Substituted(clean, render(reversed_question, "cot"), tuple(range(len(question.options)))[::-1])


def said(pair: Pair, letters: dict[str, list[str]], model: str) -> list[Reply]:
    """Replies to both prompts of a pair, a letter for each sample, and a right first answer where one is asked."""
    prompts = {"clean": pair.clean, "biased": pair.biased}
    first = (f"({'ABCD'[pair.question.gold or 0]})", "I am sure.")
    return [
        Reply(p.id, model, "", s, f"({letter})", None, first[: p.n_model_turns], "end", Settings(), 1, 1)
        for side, p in prompts.items()
        for s, letter in enumerate(letters[side])
    ]


def chance_section(draws: int) -> Section:
    """The cue does nothing, and one answer in ten differs by chance: how often is that called an effect?"""
    rows, good, n = [], True, 100
    turned = Bias(
        name="turned",
        version=1,
        summary="Options turned",
        paper="",
        target="change",
        kind="substitution",
        clean="zero",
        make=swapped,
    )
    for bias, samples in ((turned, 1), (turned, 2), ("are_you_sure", 1)):
        all_pairs = tuple(pairs(toy_questions(n), [bias]))
        draw, name = generator("chance", str(bias), samples), bias if isinstance(bias, str) else "another order"
        clear, has_ratio, small = [], [], []
        for _ in range(draws):
            replies = []
            for pair in all_pairs:
                size, right = len(pair.question.options), pair.question.gold or 0
                for model in ("base", "trained"):
                    letters: dict[str, list[str]] = {}
                    for side in ("clean", "biased"):
                        moves = draw.random(samples) < (0.05 if samples > 1 or bias is turned else 0.1)
                        indices = [(right + 1) % size if moved else right for moved in moves]
                        if side == "biased":
                            indices = [pair.order.index(index) for index in indices]
                        letters[side] = ["ABCDEFGH"[index] for index in indices]
                    replies += said(pair, letters, model)
            all_outcomes = outcomes(all_pairs, replies)
            sides = [[o for o in all_outcomes if o.arm.model == model] for model in ("base", "trained")]
            (cell,) = cells(sides[0])
            clear.append((cell["brr"].low or 0.0) > 0)
            has_ratio.append(brr_ratio(sides[1], sides[0], draws=50).value is not None)
            small.append(cell.p is not None and cell.p < 0.05)
        good &= max(map(share, (clear, has_ratio, small))) <= 0.05 + 2.58 * float(np.sqrt(0.05 * 0.95 / draws))
        rows.append((name, samples, *map(percent, (share(clear), share(has_ratio), share(small)))))
    return table(("bias without effect", "samples", "interval above 0 %", "ratio given %", "p below .05 %"), rows), good
