"""Warnings to read before the numbers: signs in the stored replies that a model was not asked as intended.

In: `Results`. Out: one sentence for each caveat, shown by every view of a study. Caveats do not change the numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from unsway.registry import Ref
from unsway.reporting.headline import UNKNOWN_BASE
from unsway.reporting.words import join_names, percent, points, ratio, visible
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
    sentences = [*source_caveats(results.sources)]
    prompts = {prompt.id: prompt for pair in results.pairs for prompt in (pair.clean, pair.biased)}
    for arm in results.arms:
        letters = agreements(results.pairs, results.index, arm.key)
        if any(agreement.n_read for agreement in letters.values()):
            counts = " and ".join(
                f"{agreement.n_alike:,} of {agreement.n_read:,} {side} ones" for side, agreement in letters.items()
            )
            conclusion = "the letter counts"
            if not letter_counts(letters):
                conclusion = f"less than {ENOUGH:.0%} on a side, so the replies count"
            sentences.append(
                f"{visible(arm.label)}: The letter asked for after a reply is the one read in the reply in {counts}: "
                f"{conclusion}."
            )
        sentences += (f"{visible(arm.label)}: {caveat}" for caveat in _reply_caveats(results.said_by(arm)))
        base = results.base_of(arm)
        if base is None and results.base is not None:
            sentences.append(
                f"{visible(arm.label)} is compared with no base: {UNKNOWN_BASE}. Measure it into a folder with its own."
            )
        if base is None or arm.role not in ("trained", "control"):
            continue
        reply_pairs = (
            (results.index.samples(arm.key, prompt), results.index.samples(base.key, prompt))
            for prompt in prompts.values()
        )
        are_same = (
            ours[number].text == theirs[number].text for ours, theirs in reply_pairs for number in ours.keys() & theirs
        )
        n_alike = 0
        for is_same in are_same:  # for most arms the first replies suffice
            n_alike += 1
            if not is_same:
                n_alike = 0
                break
        if n_alike >= FEWEST:
            sentences.append(
                f"{visible(arm.label)}: all {n_alike:,} replies are those of {visible(base.label)}, word for word. The "
                "training changed nothing that shows here, or the adapter is not in use: a server may not have loaded it."
            )
    return (*sentences, *training_caveats(results))


def training_caveats(results: Results) -> Iterator[str]:
    """How much the numbers of each training vary between seeds, or that this is unknown."""
    from unsway.studies.trainings import repeated_trainings

    trainings = repeated_trainings(results)
    single_seed = [training.name for training in trainings if len(training.labels) == 1]
    single_seed += [arm.label for arm in results.arms if arm.checkpoint is not None and not arm.training]
    if single_seed:
        yield (
            f"One training seed of {join_names([*map(visible, single_seed)])}: the intervals cover the chance of questions "
            "and replies, not how much a result varies between trainings. Train with several seeds to see it: "
            "seeds=(0, 1, 2) of a study, or `unsway measure … --training NAME` of each."
        )
    for training in (training for training in trainings if len(training.labels) > 1):
        brr, base_ratio = training.summary.brr, training.summary.ratio
        ratio_text = f", ratio to the base {ratio(base_ratio)}" if base_ratio else ""
        spread = percent(training.summary.spread)
        sentence = (
            f"mean BRR {points(brr)} points{ratio_text}; from seed to seed it moves by {spread} "
            f"{'point' if spread == '1' else 'points'} (standard deviation beyond the chance of questions)"
        )
        sentence += f". {brr.note[0].upper()}{brr.note[1:]}" if brr.note else ""
        sentence = brr.note if brr.value is None else sentence
        yield f"{visible(training.name)} over {len(training.labels)} training seeds, all biases: {sentence}."


def source_caveats(sources: Iterable[str]) -> Iterator[str]:
    """One sentence for each source (`name@revision`) that was asked in several revisions."""
    revisions_of: dict[str, dict[str, None]] = defaultdict(dict)
    for source in sources:
        ref = Ref.parse(source)
        revisions_of[ref.unversioned][ref.version] = None
    for name, revisions in revisions_of.items():
        if name and len(revisions) > 1:
            yield (
                f"{visible(name)} was asked in {len(revisions)} versions ({', '.join(map(visible, revisions))}): questions "
                "that only an earlier one has still count. Measure into a new folder to have the new version alone."
            )


def _reply_caveats(replies: ReplyTable) -> Iterator[str]:
    """Forced answers, template marks, and repeated prompts whose replies agree or differ contrary to their temperature."""
    n_forced = replies.total("forced")
    if n_forced:
        yield (
            f"{n_forced:,} of {len(replies):,} replies had no answer and were made to give one: the option that the model "
            "gave next counts."
        )
    n_marked = replies.total("marked")
    if n_marked:
        yield (
            f"{n_marked:,} of {len(replies):,} replies hold marks of a chat template. The template may be applied twice or "
            "be the wrong one, or the server does not stop at the model's own end mark."
        )
    repeated_prompts = [*replies.repeated()]
    greedy_alike = [are_alike for is_sampled, are_alike, _ in repeated_prompts if not is_sampled]
    sampled_alike = [
        are_alike for is_sampled, are_alike, shortest in repeated_prompts if is_sampled and shortest >= SHORTEST
    ]
    if len(greedy_alike) >= FEWEST and not all(greedy_alike):
        yield (
            f"{greedy_alike.count(False):,} of {len(greedy_alike):,} prompts asked several times at temperature 0 got "
            "different replies. The provider does not decode greedily, so the same study would give other numbers."
        )
    if len(sampled_alike) >= FEWEST and sampled_alike.count(True) > len(sampled_alike) / 2:
        yield (
            f"{sampled_alike.count(True):,} of {len(sampled_alike):,} prompts sampled several times got the same words each "
            "time. The provider may ignore temperature or seed, or answer from a cache; the samples are not independent."
        )
