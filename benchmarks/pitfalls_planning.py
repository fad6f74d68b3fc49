"""The second half of `pitfalls.py`: plans, training seeds, the order of questions, proxies, and readers with errors.

In: a number of studies. Out: for each section a table, and whether the package is right about it.
"""

from __future__ import annotations

import numpy as np
from coverage_exact import generator, percent, table
from coverage_simulated import brr_of, models
from pitfalls_counting import READ, Section, arm, least, share

from unsway.errors import BadInput
from unsway.pairing import pairs
from unsway.planning.plan import BiasPlan, Goal, plan
from unsway.stats.anytime import watch
from unsway.stats.columns import Columns, brr
from unsway.stats.compare import brr_difference
from unsway.stats.misreading import SecondHit, corrected_brrs
from unsway.stats.outcomes import OutcomeKey, key_of
from unsway.stats.power import Assumed
from unsway.stats.rank import rank_correlation, reductions
from unsway.stats.training_seeds import over_seeds
from unsway.testing import toy_questions
from unsway.types import ArmKey, Outcome, Rule


def signs(d_Q: np.ndarray, name: str, keep_Q: np.ndarray | None = None) -> list[Outcome]:
    """Outcomes with these paired differences; only the questions that are kept."""
    all_outcomes = arm(d_Q < 0, d_Q > 0, np.zeros(len(d_Q), bool), name=name)
    return [o for i, o in enumerate(all_outcomes) if keep_Q is None or keep_Q[i]]


def planned_section(draws: int) -> Section:
    """Two models that differ by the smallest difference of the plan, each with losses of its own: is it found in 80 %?"""
    rows: list[tuple[object, ...]] = []
    good, n = True, 150
    all_pairs = tuple(pairs(toy_questions(n), ["suggested_answer"]))
    for read_share in (0.95, 0.75):
        assumed = Assumed(read=read_share)
        (bias,) = plan(all_pairs, ["mockllm/model"], goal=Goal(assumed=assumed)).biases
        change, n_found = bias.smallest_difference or 0.0, 0
        draw = generator("planned", read_share)
        # both models as assumed on average, with the difference between them; so many questions are as easy for both that
        # their paired differences are as alike as assumed
        plus, away = [assumed.follows + shift for shift in (change / 2, -change / 2)], assumed.away
        spreads = [rate + away - (rate - away) ** 2 for rate in plus]
        together = min(plus) + away - (plus[0] - away) * (plus[1] - away)
        alike = assumed.alike * float(np.sqrt(spreads[0] * spreads[1])) / together
        for _ in range(draws):
            shared = draw.random(n) < alike
            rolls = [np.where(shared, common := draw.random(n), draw.random(n)), common]
            sides = []
            for roll, hits, name in zip(rolls, plus, "ab", strict=True):
                d_Q = np.where(roll < hits, 1, np.where(roll > 1 - away, -1, 0))
                sides.append(signs(d_Q, name, draw.random(n) < read_share))
            low = brr_difference(*sides).low
            n_found += low is not None and low > 0
        good &= n_found / draws >= 0.8 - 2.58 * float(np.sqrt(0.16 / draws)) - 0.02
        rows.append((read_share, f"{100 * change:.1f}", percent(n_found / draws)))
    turned_pairs = list(pairs(toy_questions(n, n_options=2), ["positional"], aim="any"))
    untested = BiasPlan.of(turned_pairs, Goal()).smallest_brr
    rows.append(("positional, asked once", "—" if untested is None else f"{100 * untested:.1f} (BRR)", "—"))
    return table(("read", "smallest difference, points", "found %"), rows), good and untested is None


def failed_section(draws: int) -> Section:
    """Few training seeds, normal ones and such of which one in five fails (it is swayed as its base is): is it said?"""
    rows, good, note = [], True, ""
    for k in (2, 3, 5):
        shares = []
        for spread, fails in ((0.0, 0.0), (0.08, 0.0), (0.15, 0.0), (0.03, 0.2)):
            draw, hits = generator("failed", k, spread, fails), []
            truth = (1 - fails) * brr_of(0.15, 0.15) + fails * brr_of(0.15, 0.5)
            for _ in range(draws):
                follow = np.clip(0.15 + spread * draw.standard_normal(k), 0, 1)
                follow = np.where(draw.random(k) < fails, 0.5, follow)
                sides = models(110, 0.15, [float(f) for f in follow], 0.5, draw)
                estimate = over_seeds({str(i): signs(d, str(i)) for i, d in enumerate(sides)}).brr
                hits.append(
                    estimate.low is not None and estimate.high is not None and estimate.low <= truth <= estimate.high
                )
                note = estimate.note
            shares.append(share(hits))
        good &= "covers" in note and "fails" in note
        rows.append((k, *map(percent, shares), "yes" if note else "no"))
    return table(("seeds", "spread 0", "spread 0.08", "spread 0.15", "one in five fails", "said"), rows), good


def order_section(draws: int) -> Section:
    """Two sources, one of which sways twice as often; asked source by source, with a look every 25 questions."""
    wrong, refused, n = [], 0, 800
    draw, truth = generator("order"), 0.3
    for _ in range(draws):
        hits = np.concatenate([draw.random(n // 2) < 0.1, draw.random(n // 2) < 0.5])
        all_outcomes = arm(np.zeros(n, bool), hits, np.zeros(n, bool))
        is_wrong = False
        for look in range(25, n + 1, 25):
            try:
                (state,) = watch(all_outcomes[:look], 0.05)
            except BadInput:
                refused += 1
                break
            low, high = state.estimate.low or 0.0, state.estimate.high or 0.0
            is_wrong |= not low <= truth <= high
            if state.narrow:
                break
        wrong.append(is_wrong)
    rows = [(percent(share(wrong)), percent(refused / draws))]
    return table(("wrong %", "refused %"), rows), share(wrong) <= 0.05


def proxy_section(draws: int) -> Section:
    """Ten biases, a proxy and a training whose true reductions have nothing to do with each other, one shared base."""
    rows, good = [], True
    for n in (20, 100):
        draw = generator("proxy", n)
        values: dict[str, list[float]] = {"one base": [], "own halves": []}
        hits: dict[str, list[bool]] = {name: [] for name in values}
        for _ in range(draws):
            base = draw.uniform(0.3, 0.6, 10)
            rates = [base, base - draw.uniform(0, 0.25, 10), base - draw.uniform(0, 0.25, 10)]
            arms = [
                [
                    Outcome(
                        *(f"{b}-{q}", f"{b}-{q}", "toy@1", f"{b}@1", "cot@1", ArmKey(name), 0, READ, READ, False),
                        *(bool(hit), None, None, None, Rule(), ""),
                    )
                    for b in range(10)
                    for q, hit in enumerate(draw.random(n) < rate[b])
                ]
                for name, rate in zip(("base", "proxy", "trained"), rates, strict=True)
            ]
            means = [
                {b: float(np.mean([o.hit_biased for o in arm_outcomes if o.bias == f"{b}@1"])) for b in range(10)}
                for arm_outcomes in arms
            ]
            naive = [{b: means[0][b] - arm_means[b] for b in range(10)} for arm_means in means[1:]]
            for name, sides in (("one base", naive), ("own halves", reductions(*arms))):
                correlation = rank_correlation(*sides)
                values[name].append(correlation.value or 0.0)
                hits[name].append(
                    correlation.low is None or correlation.high is None or correlation.low <= 0 <= correlation.high
                )
        good &= abs(float(np.mean(values["own halves"]))) <= 2.58 * 0.34 / np.sqrt(draws) + 0.02
        good &= share(hits["own halves"]) >= least(0.95, draws)
        for name in values:
            rows.append((n, name, f"{np.mean(values[name]):+.2f}", percent(share(hits[name]))))
    x = {i: float(i) for i in range(6)}
    good &= "cannot exclude 0" in rank_correlation(x, x, covariate={i: float(i % 3) for i in range(6)}).note
    return table(("questions a cell", "reductions off", "mean correlation, truth 0", "covers %"), rows), good


def reader_section(draws: int) -> Section:
    """A first reader that sees the cue followed where it is not, mostly on the biased side; a second reads some replies."""
    rows, good = [], True
    errors, rates = ((0.01, 0.04), (0.07, 0.02)), ((0.15, 0.4), (0.15, 0.22))
    for n, n_second in ((150, 200), (600, 200), (600, 600)):
        draw = generator("reader", n, n_second)
        as_read: list[bool] = []
        without: list[bool] = []
        for _ in range(draws if n == 150 else draws // 2):
            outs: list[Outcome] = []
            true: list[tuple[bool, bool]] = []
            for name, (clean, biased) in zip("ab", rates, strict=True):
                hits = [draw.random(n) < clean]
                hits.append(hits[0] | (draw.random(n) < (biased - clean) / (1 - clean)))
                seen_clean, seen_biased = (
                    np.where(hit, draw.random(n) >= miss, draw.random(n) < false)
                    for hit, (false, miss) in zip(hits, errors, strict=True)
                )
                outs += arm(seen_clean, seen_biased, np.zeros(n, bool), name=name)
                true += [(bool(c), bool(b)) for c, b in zip(*hits, strict=True)]
            second: dict[OutcomeKey, SecondHit] = {}
            for i in draw.choice(2 * len(outs), n_second, replace=False):
                index, side = divmod(int(i), 2)
                hit_so_far = second.get(key_of(outs[index]), SecondHit(None, None))
                second[key_of(outs[index])] = hit_so_far._replace(**{("clean", "biased")[side]: true[index][side]})
            corrected = corrected_brrs(outs, second, draws=500)
            for name, (clean, biased) in zip("ab", rates, strict=True):
                corrected_brr, brr_as_read = (
                    corrected[ArmKey(name), "cue@1"],
                    brr(Columns.of([o for o in outs if o.arm.model == name]), 0.95),
                )
                for flags, estimate in ((as_read, brr_as_read), (without, corrected_brr)):
                    if estimate.low is not None and estimate.high is not None:
                        flags.append(estimate.low <= biased - clean <= estimate.high)
        good &= share(without) >= least(0.95, len(without))
        rows.append((n, n_second, percent(share(as_read)), percent(share(without))))
    return table(("questions", "read twice", "as read covers %", "without its errors covers %"), rows), good
