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


def shown(found: Results) -> Results:
    """The study with the texts of redacted pairs replaced; the same object if there are none."""
    pairs = tuple(map(shown_pair, found.pairs))
    redacted = {
        old.id: (pair, new.id)
        for pair, after in zip(found.pairs, pairs, strict=True)
        if pair.rule.redacted
        for old, new in ((pair.clean, after.clean), (pair.biased, after.biased))
    }
    if not redacted:
        return found
    pair_of = {key: pair for key, (pair, _) in redacted.items()}
    now = {key: new_id for key, (_, new_id) in redacted.items()}
    arms = []
    for arm in found.index.arms:
        if arm.instead is not None:  # the prompt asked instead of a redacted one has its own reply
            pair_of |= {asked: pair_of[key] for key, asked in arm.instead.items() if key in redacted}
            arm = replace(arm, instead={now.get(key, key): asked for key, asked in arm.instead.items()})
        arms.append(arm)
    replies, renamed = [], {}
    for reply in found.index.replies:
        if reply.prompt_id in pair_of:
            hidden = shown_reply(pair_of[reply.prompt_id], reply)
            hidden = replace(hidden, prompt_id=now.get(reply.prompt_id, reply.prompt_id))
            renamed[reply_id(reply)] = reply_id(hidden), reply, hidden
            reply = hidden
        replies.append(reply)

    def without_words(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
        """Redact verdicts; a quote that occurs in its reply still occurs in the redacted one."""
        after = []
        for one in verdicts:
            if one.reply in renamed:
                address, reply, hidden = renamed[one.reply]
                quote = hidden.text if quote_stands(one, reply.text) else redact(one.quote)
                one = replace(one, reply=address, why="", quote=quote)
            after.append(one)
        return tuple(after)

    noted = found.notes
    notes = replace(noted, verdicts=without_words(noted.verdicts), labels=without_words(noted.labels))
    return replace(found, pairs=pairs, index=ReplyIndex(replies, arms), notes=notes)
