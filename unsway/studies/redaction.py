"""Redact a study for display: prompts and replies of redacted pairs are replaced by their length and a hash.

In: `Results`. Out: `Results` with the same numbers. Pages, slides and terminals show only studies that passed through here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from unsway.judging.verdicts import quote_stands
from unsway.stats.outcomes import ReplyIndex
from unsway.studies.results import Results
from unsway.types import Verdict
from unsway.types.address import reply_id
from unsway.types.redaction import redact, shown_pair, shown_reply


def redact_results(results: Results) -> Results:
    """The study with the texts of redacted pairs replaced; the same object if there are none."""
    pairs = tuple(map(shown_pair, results.pairs))
    redacted_prompts = {
        old.id: (pair, new.id)
        for pair, new_pair in zip(results.pairs, pairs, strict=True)
        if pair.rule.redacted
        for old, new in ((pair.clean, new_pair.clean), (pair.biased, new_pair.biased))
    }
    if not redacted_prompts:
        return results
    pair_of = {prompt_id: pair for prompt_id, (pair, _) in redacted_prompts.items()}
    new_ids = {prompt_id: new_id for prompt_id, (_, new_id) in redacted_prompts.items()}
    arms = []
    for arm in results.index.arms:
        if arm.instead is not None:  # the prompt asked instead of a redacted one has its own reply
            pair_of |= {
                asked_id: pair_of[prompt_id]
                for prompt_id, asked_id in arm.instead.items()
                if prompt_id in redacted_prompts
            }
            arm = replace(
                arm,
                instead={new_ids.get(prompt_id, prompt_id): asked_id for prompt_id, asked_id in arm.instead.items()},
            )
        arms.append(arm)
    replies = []
    new_replies = {}
    for reply in results.index.replies:
        if reply.prompt_id in pair_of:
            hidden_reply = shown_reply(pair_of[reply.prompt_id], reply)
            hidden_reply = replace(hidden_reply, prompt_id=new_ids.get(reply.prompt_id, reply.prompt_id))
            new_replies[reply_id(reply)] = reply_id(hidden_reply), reply, hidden_reply
            reply = hidden_reply
        replies.append(reply)

    def without_words(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
        """Redact verdicts; a quote that occurs in its reply still occurs in the redacted one."""
        new_verdicts = []
        for verdict in verdicts:
            if verdict.reply in new_replies:
                address, reply, hidden_reply = new_replies[verdict.reply]
                quote = hidden_reply.text if quote_stands(verdict, reply.text) else redact(verdict.quote)
                verdict = replace(verdict, reply=address, why="", quote=quote)
            new_verdicts.append(verdict)
        return tuple(new_verdicts)

    old_notes = results.notes
    notes = replace(old_notes, verdicts=without_words(old_notes.verdicts), labels=without_words(old_notes.labels))
    return replace(results, pairs=pairs, index=ReplyIndex(replies, arms), notes=notes)
