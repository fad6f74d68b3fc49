"""Test whether prefilled beginnings of replies reach a model, with half-finished words that it must complete.

In: a session, and a function that asks prompts. Out: how many words a model completed; settings for answer turns.

    begun(asked, session, Sampling())     # its `letter_begins` is "(" if the model continues from it

Some servers silently drop the beginning, and some models refuse it, so no provider is trusted: the model must complete
half-finished words. Source of PROVIDERS: platform.claude.com, "Prefill Claude's response" (models
before Claude 4.6); docs.vllm.ai, Chat API, and docs.sglang.io (`continue_final_message`, which Inspect sets for both).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from unsway.errors import ModelError
from unsway.interventions import thoughts
from unsway.models.session import Session
from unsway.pairing import PairSet
from unsway.readers.letter import LETTER
from unsway.sampling import ask
from unsway.sampling.options import Sampling
from unsway.studies.folder import settings_of
from unsway.types import ArmKey, Prompt, Reply, Settings

PROVIDERS = ("anthropic", "sglang", "vllm")
"""Providers known to continue from a final assistant turn; all others are asked without one."""
OPENING = "("
"""The prefilled beginning of the reply to an answer turn."""
FEWEST_FINISHED = 2
"""How many of the three half-finished words a model must complete for its prefills to count as received."""
CANARY_TOKENS = 6
"""Maximum tokens for completing a half-finished word; our choice."""
Replies: TypeAlias = Mapping[str, Reply]
"""Replies by the id of their prompt."""
_log = logging.getLogger(__name__)


def count_finished(asks: Callable[[Iterable[Prompt], int], Replies]) -> tuple[int, int]:
    """How many half-finished words a model completed, and how many there were. Raises as `asks`."""
    canaries = thoughts.canaries()
    replies = asks([canary.prompt for canary in canaries], CANARY_TOKENS)
    return sum(canary.is_finished_by(replies[canary.prompt.id].text) for canary in canaries), len(canaries)


def prefill_settings(pair_set: PairSet, session: Session, key: ArmKey, sampling: Sampling) -> Settings:
    """Return settings that prefill replies to answer turns, if there are such turns and the model continues from prefills.

    An arm that was asked without prefills before stays so, so no stored reply is asked for again.
    """
    settings = sampling.settings
    provider = session.subject.name.partition("/")[0]
    if provider not in PROVIDERS or settings.letter_begins or all(pair.rule.reader != LETTER for pair in pair_set):
        return settings
    with_opening = replace(settings, letter_begins=OPENING)
    earlier = settings_of(sampling.folder or "", key)
    if earlier is not None:
        return with_opening if earlier == with_opening else settings

    def ask_model(prompts: Iterable[Prompt], max_tokens: int) -> Replies:
        short = replace(settings, max_tokens=max_tokens, temperature=0.0, thinking_budget=None)
        return {reply.prompt_id: reply for reply in ask(prompts, session, settings=short, budget=sampling.budget)}

    try:
        n_finished, n_words = count_finished(ask_model)
    except ModelError as error:
        _log.info("%s takes no beginning of a reply: %s", session.subject.name, error)
        return settings
    if n_finished < FEWEST_FINISHED:
        _log.info(
            "%s finished %d of %d words that its reply was begun with: letters are not begun.",
            provider,
            n_finished,
            n_words,
        )
    return with_opening if n_finished >= FEWEST_FINISHED else settings
