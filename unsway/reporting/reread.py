"""Which answers are read differently than before, or differently by a second reader, for people and programs.

In: `Reread`, `SecondReading`. Out: lines of text; JSON bodies.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from unsway.errors import number_of
from unsway.reporting.words import join_names, percent, ratio, visible
from unsway.studies.kept_outcomes import ChangedReading, Reread

if TYPE_CHECKING:
    from unsway.judging.second_reader import SecondReading

CUT = 160
"""Maximum characters of a reply that are shown."""


def body(rereading: Reread) -> dict[str, Any]:
    """Everything for a program, with excerpts of the replies."""
    return {
        "before": rereading.before,
        "now": rereading.now,
        "n_answers": rereading.n_answers,
        "n_new": rereading.n_new,
        "n_changed": len(rereading.changed),
        "n_counted": rereading.n_counted,
        "n_uncounted": rereading.n_uncounted,
        "moves": [{"old": old, "new": new, "n": n} for (old, new), n in rereading.moves().items()],
        "changed": [
            {"model": change.arm.name, "prompt_id": change.prompt.id, "sample": change.sample, "arm": change.side}
            | {"old": asdict(change.old), "new": asdict(change.new), "reply": _cut(change)}
            for change in rereading.changed
        ],
    }


def lines(rereading: Reread, many: int) -> list[str]:
    """The result as lines of text."""
    if not rereading.before:
        return [
            f"No stored readings to compare with; {rereading.n_new:,} answers, read by {rereading.now}, are stored now."
        ]
    versions = join_names([visible(version) for version in rereading.before])
    share = percent(len(rereading.changed) / rereading.n_answers if rereading.n_answers else 0.0)
    summary = f"{len(rereading.changed):,} changed ({share}%)"
    texts = [
        f"{rereading.n_answers:,} answers, read by {versions}, were read again by {rereading.now}: {summary}.",
        f"{rereading.n_counted:,} outcomes count now that did not before; {rereading.n_uncounted:,} no longer count.",
    ]
    texts += [f"{n:>6,} × {old} → {new}" for (old, new), n in rereading.moves().items()]
    for change in rereading.changed[:many]:
        address = f"{visible(change.arm.name)}, prompt {change.prompt.id}, sample {change.sample}, {change.side}"
        texts += ["", f"{address}: {' → '.join(change.words())} ({change.new.rule})", f"  {_cut(change)}"]
    return texts


def _cut(change: ChangedReading) -> str:
    """An excerpt of the reply around the answer read now or before, else its end."""
    span = change.new.span or change.old.span
    return _around(change.reply.text, len(change.reply.text) if span is None else span[1] + CUT // 4)


def _around(text: str, end: int) -> str:
    """The characters of a text up to a place, on one line, without control characters."""
    end = min(len(text), end)
    start = max(0, end - CUT)
    return ("… " if start else "") + visible(text[start:end]) + (" …" if end < len(text) else "")


def second_lines(theirs: SecondReading, many: int) -> list[str]:
    """The second reader's result as lines of text."""
    agreement, kappa = theirs.agreement, theirs.kappa
    name = visible(theirs.model)
    n_replies = theirs.agreement.n + theirs.n_unread
    if agreement.value is None:
        return ["", f"{name} gave no reading that could be understood, of {number_of(n_replies, 'reply')}."]
    share = f"{percent(agreement.value)}% [{percent(agreement.low)}, {percent(agreement.high)}]"
    kappa_text = ratio(kappa) if kappa.value is not None else f"not defined ({kappa.note})"
    replies = number_of(agreement.n, "reply")
    texts = [
        "",
        f"{name} ({theirs.rubric}) agrees with {theirs.first} on {share} of {replies}; Cohen's kappa {kappa_text}.",
        f"Read differently: {len(theirs.disagreements):,}. No reading as asked for: {theirs.n_unread:,} of {n_replies:,}.",
    ]
    for disagreement in theirs.disagreements[:many]:
        reply = disagreement.item.reply
        texts += [
            (
                f"{visible(reply.model)}, prompt {reply.prompt_id}, sample {reply.sample}: "
                f"{disagreement.first} against {disagreement.second}"
            )
        ]
        texts += [f"  {_around(reply.text, len(reply.text))}"]
    return texts


def second_body(theirs: SecondReading) -> dict[str, Any]:
    """Everything about the second reader for a program, with excerpts of the replies."""
    rows = []
    for disagreement in theirs.disagreements:
        reply = disagreement.item.reply
        address = {"model": reply.model, "prompt_id": reply.prompt_id, "sample": reply.sample}
        rows.append(
            address
            | {
                "first": disagreement.first,
                "second": disagreement.second,
                "reply": _around(reply.text, len(reply.text)),
            }
        )
    return asdict(theirs) | {"disagreements": rows}
