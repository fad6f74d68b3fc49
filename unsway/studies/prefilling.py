"""Does the beginning of a reply reach a model? Providers that go on from one, and begun words that show it.

In: a session, and something that asks prompts. Out: how many begun words a model finished; for an answer turn, settings.

    begun(asked, session, Sampling())     # settings whose `letter_begins` is "(" where the model goes on from it

Some servers drop the beginning without a word, and some models refuse it, so no provider is taken at its word: it must
finish words that were begun in the middle. Source of PROVIDERS: platform.claude.com, "Prefill Claude's response" (models
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
"""Providers whose models are known to go on from a last turn of their own; all others are asked without one."""
OPENING = "("
"""How the answer to an answer turn begins."""
NEEDED = 2
"""Begun words, of three, that a model must finish for its beginnings to count as received."""
CANARY_TOKENS = 6
"""Longest end of a begun word; ours."""
Asked: TypeAlias = Mapping[str, Reply]
"""Replies by the id of their prompt."""
_log = logging.getLogger(__name__)


def finished(asks: Callable[[Iterable[Prompt], int], Asked]) -> tuple[int, int]:
    """How many words that its reply was begun with a model finished, and how many there were. Raises as `asks`."""
    tried = thoughts.canaries()
    replies = asks([each.prompt for each in tried], CANARY_TOKENS)
    return sum(each.is_finished_by(replies[each.prompt.id].text) for each in tried), len(tried)


def begun(asked: PairSet, session: Session, key: ArmKey, sampling: Sampling) -> Settings:
    """Settings in which answers to answer turns are begun, where there are such and the model goes on from a beginning.

    An arm that was asked otherwise before goes on as it was, so no kept reply is asked for again.
    """
    settings, provider = sampling.settings, session.subject.name.partition("/")[0]
    if provider not in PROVIDERS or settings.letter_begins or all(pair.rule.reader != LETTER for pair in asked):
        return settings
    with_opening = replace(settings, letter_begins=OPENING)
    before = settings_of(sampling.folder or "", key)
    if before is not None:
        return with_opening if before == with_opening else settings

    def asks(prompts: Iterable[Prompt], max_tokens: int) -> Asked:
        short = replace(settings, max_tokens=max_tokens, temperature=0.0, thinking_budget=None)
        return {reply.prompt_id: reply for reply in ask(prompts, session, settings=short, budget=sampling.budget)}

    try:
        n, of = finished(asks)
    except ModelError as error:
        _log.info("%s takes no beginning of a reply: %s", session.subject.name, error)
        return settings
    if n < NEEDED:
        _log.info("%s finished %d of %d words that its reply was begun with: letters are not begun.", provider, n, of)
    return with_opening if n >= NEEDED else settings
