"""Warnings to read before the numbers: signs in the stored replies that a model was not asked as intended.

In: `Results`. Out: one sentence for each caveat, shown by every view of a study. Caveats do not change the numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from unsway.registry import Ref
from unsway.reporting.headline import UNKNOWN_BASE
from unsway.reporting.words import listed, percent, points, ratio, visible
from unsway.stats.answer_turns import ENOUGH, agreements, letter_counts

if TYPE_CHECKING:
    from unsway.stats.reply_table import ReplyTable
    from unsway.studies.results import Results

SHORTEST = 80
"""Sampled replies of at least this many characters should differ; shorter ones may be identical by chance."""
FEWEST = 10
"""Minimum number of prompts asked several times for judging how the provider samples."""


def caveats(results: Results) -> tuple[str, ...]:
    """Every caveat of a study: about its sources, each arm's replies, and how much trainings vary between runs."""
    found = [*source_caveats(results.sources)]
    prompts = {prompt.id: prompt for pair in results.pairs for prompt in (pair.clean, pair.biased)}
    for arm in results.arms:
        letters = agreements(results.pairs, results.index, arm.key)
        if any(side.n_read for side in letters.values()):
            said = " and ".join(f"{each.n_alike:,} of {each.n_read:,} {side} ones" for side, each in letters.items())
            which = "the letter counts"
            if not letter_counts(letters):
                which = f"less than {ENOUGH:.0%} on a side, so the replies count"
            found.append(
                f"{visible(arm.label)}: The letter asked for after a reply is the one read in the reply in {said}: {which}."
            )
        found += (f"{visible(arm.label)}: {caveat}" for caveat in _reply_caveats(results.said_by(arm)))
        base = results.base_of(arm)
        if base is None and results.base is not None:
            found.append(
                f"{visible(arm.label)} is compared with no base: {UNKNOWN_BASE}. Measure it into a folder with its own."
            )
        if base is None or arm.role not in ("trained", "control"):
            continue
        sides = (
            (results.index.samples(arm.key, one), results.index.samples(base.key, one)) for one in prompts.values()
        )
        same = (ours[number].text == theirs[number].text for ours, theirs in sides for number in ours.keys() & theirs)
        n_alike = 0
        for is_same in same:  # for most arms the first replies suffice
            n_alike += 1
            if not is_same:
                n_alike = 0
                break
        if n_alike >= FEWEST:
            found.append(
                f"{visible(arm.label)}: all {n_alike:,} replies are those of {visible(base.label)}, word for word. The "
                "training changed nothing that shows here, or the adapter is not in use: a server may not have loaded it."
            )
    return (*found, *training_caveats(results))


def training_caveats(results: Results) -> Iterator[str]:
    """How much the numbers of each training vary between seeds, or that this is unknown."""
    from unsway.studies.trainings import repeated_trainings

    trainings = repeated_trainings(results)
    once = [each.name for each in trainings if len(each.labels) == 1]
    once += [arm.label for arm in results.arms if arm.checkpoint is not None and not arm.training]
    if once:
        yield (
            f"One training seed of {listed([*map(visible, once)])}: the intervals hold the chance of questions and replies, "
            "not how far a result moves from one training to the next. Train with several seeds to see it: "
            "seeds=(0, 1, 2) of a study, or `unsway measure … --training NAME` of each."
        )
    for each in (each for each in trainings if len(each.labels) > 1):
        brr, of_base = each.summary.brr, each.summary.ratio
        beside = f", ratio to the base {ratio(of_base)}" if of_base else ""
        moves = percent(each.summary.spread)
        said = (
            f"mean BRR {points(brr)} points{beside}; from seed to seed it moves by {moves} "
            f"{'point' if moves == '1' else 'points'} (standard deviation beyond the chance of questions)"
        )
        said += f". {brr.note[0].upper()}{brr.note[1:]}" if brr.note else ""
        said = brr.note if brr.value is None else said
        yield f"{visible(each.name)} over {len(each.labels)} training seeds, all biases: {said}."


def source_caveats(sources: Iterable[str]) -> Iterator[str]:
    """One sentence for each source (`name@revision`) that was asked in several revisions."""
    known: dict[str, dict[str, None]] = defaultdict(dict)
    for source in sources:
        ref = Ref.parse(source)
        known[ref.unversioned][ref.version] = None
    for name, revisions in known.items():
        if name and len(revisions) > 1:
            yield (
                f"{visible(name)} was asked in {len(revisions)} versions ({', '.join(map(visible, revisions))}): questions "
                "that only an earlier one has still count. Measure into a new folder to have the new version alone."
            )


def _reply_caveats(replies: ReplyTable) -> Iterator[str]:
    """Forced answers, template marks, and repeated prompts whose replies agree or differ contrary to their temperature."""
    forced = replies.total("forced")
    if forced:
        yield (
            f"{forced:,} of {len(replies):,} replies had no answer and were made to give one: the option that the model gave "
            "next counts."
        )
    marked = replies.total("marked")
    if marked:
        yield (
            f"{marked:,} of {len(replies):,} replies hold marks of a chat template. The template may be applied twice or "
            "be the wrong one, or the server does not stop at the model's own end mark."
        )
    repeated = [*replies.repeated()]
    greedy = [are_alike for is_sampled, are_alike, _ in repeated if not is_sampled]
    sampled = [are_alike for is_sampled, are_alike, shortest in repeated if is_sampled and shortest >= SHORTEST]
    if len(greedy) >= FEWEST and not all(greedy):
        yield (
            f"{greedy.count(False):,} of {len(greedy):,} prompts asked several times at temperature 0 got different replies. "
            "The provider does not decode greedily, so the same study would give other numbers."
        )
    if len(sampled) >= FEWEST and sampled.count(True) > len(sampled) / 2:
        yield (
            f"{sampled.count(True):,} of {len(sampled):,} prompts sampled several times got the same words each time. The "
            "provider may ignore temperature or seed, or answer from a cache; the samples are not independent."
        )
