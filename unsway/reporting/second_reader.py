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
    return tuple(verdict for verdict in results.notes.verdicts if name_of(verdict) == "second_reader")


def _second_readings(results: Results) -> list[tuple[OutcomeReply, Reading]]:
    """Every reply that the second reader read, with its reading."""
    readings = {
        verdict.reply: Reading(None, "unparsed") if verdict.value == NO_OPTION else Reading(verdict.value, "ok")
        for verdict in _verdicts(results)
        if verdict.value is not None
    }
    replies = outcome_replies(results) if readings else ()
    return [(reply, readings[reply.address]) for reply in replies if reply.address in readings]


def errors(results: Results) -> tuple[Estimate, Estimate] | None:
    """The share of replies that the two readers read differently, on the clean and the biased side."""
    second_readings = _second_readings(results)
    if not second_readings:
        return None
    estimates = []
    for side in SIDES:
        replies = {  # a clean reply shared by several biases counts once
            reply.address: (reply.outcome.question_id, first.choice != second.choice)
            for reply, second in second_readings
            if reply.side == side and (first := getattr(reply.outcome, side)).choice is not None
        }
        wrong = [is_wrong for _, is_wrong in replies.values()]
        questions = [question_id for question_id, _ in replies.values()]
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
    cued_pairs = {pair.id for pair in results.pairs if pair.target.cued is not None}
    outcomes = [outcome for outcome in results.outcomes if outcome.pair_id in cued_pairs]
    return corrected_brrs(outcomes, hits, level=results.level)


def footnotes(results: Results) -> Iterator[str]:
    """The first reader's errors by side, and the BRRs corrected for them."""
    estimates = errors(results)
    if estimates is None:
        return
    by_side = tuple(zip(estimates, SIDES, strict=True))
    shares = [
        f"{words.share(estimate)}% of {estimate.n} on the {side} side" for estimate, side in by_side if estimate.n
    ]
    unread_sides = words.join_names([side for estimate, side in by_side if not estimate.n])
    finding = (
        f"By it the first reader is wrong in {words.join_names(shares)}"
        if shares
        else "It shows nothing of the first reader"
    )
    reader = words.visible(_verdicts(results)[0].by)
    yield (
        f"{reader} read a random sample of the replies too. {finding}"
        f"{f'; both read none on the {unread_sides} side' if unread_sides else ''}."
    )
    labels = {arm.key: arm.label for arm in results.arms}
    corrections = [
        f"{words.human(bias)}, {words.visible(labels[arm])}: "
        f"{words.points(brr) if brr.value is not None else f'none ({brr.note})'}"
        for (arm, bias), brr in corrected(results).items()
    ]
    if corrections:
        yield f"BRR without these errors (they count as alike in all arms): {'; '.join(corrections[:NAMED])}."
