"""What a table of numbers would hide: signs, in what was kept, that something was not asked or answered as it seems.

In: `Results`. Out: one sentence for each doubt, which every view of a study shows. Nothing is left out of the numbers here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from unsway.reporting.words import visible

if TYPE_CHECKING:
    from unsway.studies.results import Results
    from unsway.types import Reply

SHORTEST = 80
"""Characters from which two sampled replies that are equal to the letter are a sign: short ones may well agree."""
FEWEST = 10
"""Prompts with several replies from which sampling is judged."""
MARKS = (
    "<|im_start|>",
    "<|im_end|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|endoftext|>",
    "<|user|>",
    "<|assistant|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "[INST]",
    "[/INST]",
)
"""Marks between turns in the chat templates of ChatML, Llama, Phi, Gemma and Mistral; no reply should hold one."""


def doubts(results: Results) -> tuple[str, ...]:
    """Everything about a study that its reader should know before its numbers."""
    found = [*about_sources(results.sources)]
    replies: dict[str, list[Reply]] = defaultdict(list)
    for reply in results.replies:
        replies[reply.model].append(reply)
    for arm in results.arms:
        found += (f"{visible(arm.label)}: {doubt}" for doubt in _replies(replies.get(arm.model, [])))
    return tuple(found)


def about_sources(sources: Iterable[str]) -> Iterator[str]:
    """One sentence for each source of `name@revision` that stands there in several revisions."""
    known: dict[str, dict[str, None]] = defaultdict(dict)
    for source in sources:
        name, _, revision = source.rpartition("@")
        known[name][revision] = None
    for name, revisions in known.items():
        if name and len(revisions) > 1:
            yield (
                f"{visible(name)} was asked in {len(revisions)} versions ({', '.join(map(visible, revisions))}): questions "
                "that only an earlier one has still count. A folder of its own holds the new version alone."
            )


def _replies(replies: Sequence[Reply]) -> Iterator[str]:
    marked = sum(any(mark in reply.text for mark in MARKS) for reply in replies)
    if marked:
        yield (
            f"{marked:,} of {len(replies):,} replies hold marks of a chat template. The template may be applied twice or "
            "be the wrong one, or the server does not end at the model's own end mark."
        )
    yield from _sampling(replies)


def _sampling(replies: Iterable[Reply]) -> Iterator[str]:
    """Whether several replies to one prompt are as equal as their temperature says."""
    by_prompt: dict[tuple[str, bool], list[Reply]] = defaultdict(list)
    for reply in replies:
        by_prompt[reply.prompt_id, reply.settings.temperature > 0].append(reply)
    repeated = {key: group for key, group in by_prompt.items() if len(group) > 1}
    greedy = [len({r.text for r in group}) == 1 for (_, sampled), group in repeated.items() if not sampled]
    drawn = [
        len({r.text for r in group}) == 1
        for (_, sampled), group in repeated.items()
        if sampled and min(len(r.text) for r in group) >= SHORTEST
    ]
    if len(greedy) >= FEWEST and not all(greedy):
        yield (
            f"{greedy.count(False):,} of {len(greedy):,} prompts asked several times at temperature 0 got different replies. "
            "The provider does not decode greedily, so that the same study would give other numbers."
        )
    if len(drawn) >= FEWEST and drawn.count(True) > len(drawn) / 2:
        yield (
            f"{drawn.count(True):,} of {len(drawn):,} prompts sampled several times got the same words each time. The "
            "provider may ignore temperature or seed, or answer from a cache; the samples are not independent."
        )
