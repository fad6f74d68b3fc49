"""The first reader's errors according to a second reader: by side, and every BRR corrected for them.

In: `Results` of a folder where `unsway reread --second-reader` was used. Out: sentences for the table and the page, and the
corrected estimates; empty without a second reader.
"""

from __future__ import annotations

from collections.abc import Iterator

from unsway.judging.rubrics.second_reader import NO_OPTION
from unsway.judging.trust import name_of
from unsway.reporting import words
from unsway.stats.columns import share_of
from unsway.stats.misreading import SecondHit, corrected_brrs
from unsway.stats.outcomes import OutcomeKey, key_of
from unsway.studies.outcome_replies import OutcomeReply, outcome_replies
from unsway.studies.results import Results
from unsway.types import ArmKey, Estimate, Reading, Side, Verdict

SIDES: tuple[Side, Side] = ("clean", "biased")
NAMED = 8
"""How many corrected BRRs a sentence gives; `--json` has all."""


def _verdicts(results: Results) -> tuple[Verdict, ...]:
    """The second reader's verdicts, without those of other judges."""
    return tuple(one for one in results.notes.verdicts if name_of(one) == "second_reader")


def _second_readings(results: Results) -> list[tuple[OutcomeReply, Reading]]:
    """Every reply that the second reader read, with its reading."""
    readings = {
        verdict.reply: Reading(None, "unparsed") if verdict.value == NO_OPTION else Reading(verdict.value, "ok")
        for verdict in _verdicts(results)
        if verdict.value is not None
    }
    replies = outcome_replies(results) if readings else ()
    return [(each, readings[each.address]) for each in replies if each.address in readings]


def errors(results: Results) -> tuple[Estimate, Estimate] | None:
    """The share of replies that the two readers read differently, on the clean and the biased side."""
    found = _second_readings(results)
    if not found:
        return None
    estimates = []
    for side in SIDES:
        replies = {  # a clean reply shared by several biases counts once
            each.address: (each.outcome.question_id, first.choice != second.choice)
            for each, second in found
            if each.side == side and (first := getattr(each.outcome, side)).choice is not None
        }
        wrong, questions = [is_wrong for _, is_wrong in replies.values()], [asked for asked, _ in replies.values()]
        estimates.append(share_of(f"misread_{side}", wrong, questions, level=results.level))
    return estimates[0], estimates[1]


def corrected(results: Results) -> dict[tuple[ArmKey, str], Estimate]:
    """The BRR of every arm and bias corrected for the first reader's errors; empty without a second reader."""
    hits: dict[OutcomeKey, SecondHit] = {}
    for (outcome, pair, side, *_), second in _second_readings(results):
        if pair.target.cued is not None:  # otherwise what counts as following depends on two replies
            hit = bool(pair.target.hit(second, second))
            hits[key_of(outcome)] = hits.get(key_of(outcome), SecondHit(None, None))._replace(**{side: hit})
    if not hits:
        return {}
    cued = {pair.id for pair in results.pairs if pair.target.cued is not None}
    used = [o for o in results.outcomes if o.pair_id in cued]
    return corrected_brrs(used, hits, level=results.level)


def footnotes(results: Results) -> Iterator[str]:
    """The first reader's errors by side, and the BRRs corrected for them."""
    sides = errors(results)
    if sides is None:
        return
    both = tuple(zip(sides, SIDES, strict=True))
    shares = [f"{words.share(each)}% of {each.n} on the {side} side" for each, side in both if each.n]
    none = words.listed([side for each, side in both if not each.n])
    wrong = (
        f"By it the first reader is wrong in {words.listed(shares)}"
        if shares
        else "It shows nothing of the first reader"
    )
    by = words.visible(_verdicts(results)[0].by)
    yield f"{by} read a random sample of the replies too. {wrong}{f'; both read none on the {none} side' if none else ''}."
    labels = {arm.key: arm.label for arm in results.arms}
    given = [
        f"{words.human(bias)}, {words.visible(labels[arm])}: "
        f"{words.points(one) if one.value is not None else f'none ({one.note})'}"
        for (arm, bias), one in corrected(results).items()
    ]
    if given:
        yield f"BRR without these errors (they count as alike in all arms): {'; '.join(given[:NAMED])}."
