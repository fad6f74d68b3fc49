"""Which answers are read differently than before, or differently by a second reader, for people and programs.

In: `Reread`, `SecondReading`. Out: lines of text; JSON bodies.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from unsway.errors import number_of
from unsway.reporting.words import listed, percent, ratio, visible
from unsway.studies.kept_outcomes import ChangedReading, Reread

if TYPE_CHECKING:
    from unsway.judging.second_reader import SecondReading

CUT = 160
"""Maximum characters of a reply that are shown."""


def body(found: Reread) -> dict[str, Any]:
    """Everything for a program, with excerpts of the replies."""
    return {
        "before": found.before,
        "now": found.now,
        "n_answers": found.n_answers,
        "n_new": found.n_new,
        "n_changed": len(found.changed),
        "n_counted": found.n_counted,
        "n_uncounted": found.n_uncounted,
        "moves": [{"old": old, "new": new, "n": n} for (old, new), n in found.moves().items()],
        "changed": [
            {"model": one.arm.name, "prompt_id": one.prompt.id, "sample": one.sample, "arm": one.side}
            | {"old": asdict(one.old), "new": asdict(one.new), "reply": _cut(one)}
            for one in found.changed
        ],
    }


def lines(found: Reread, many: int) -> list[str]:
    """The result as lines of text."""
    if not found.before:
        return [f"Nothing was kept to compare with; {found.n_new:,} answers are kept now, as read by {found.now}."]
    before = listed([visible(version) for version in found.before])
    share = percent(len(found.changed) / found.n_answers if found.n_answers else 0.0)
    changed = f"{len(found.changed):,} changed ({share}%)"
    said = [
        f"{found.n_answers:,} answers, read by {before}, were read again by {found.now}: {changed}.",
        f"{found.n_counted:,} outcomes count now that did not; {found.n_uncounted:,} no longer do.",
    ]
    said += [f"{n:>6,} × {old} → {new}" for (old, new), n in found.moves().items()]
    for one in found.changed[:many]:
        where = f"{visible(one.arm.name)}, prompt {one.prompt.id}, sample {one.sample}, {one.side}"
        said += ["", f"{where}: {' → '.join(one.words())} ({one.new.rule})", f"  {_cut(one)}"]
    return said


def _cut(one: ChangedReading) -> str:
    """An excerpt of the reply around the answer read now or before, else its end."""
    span = one.new.span or one.old.span
    return _around(one.reply.text, len(one.reply.text) if span is None else span[1] + CUT // 4)


def _around(text: str, end: int) -> str:
    """The characters of a text up to a place, on one line, without control characters."""
    end = min(len(text), end)
    start = max(0, end - CUT)
    return ("… " if start else "") + visible(text[start:end]) + (" …" if end < len(text) else "")


def second_lines(theirs: SecondReading, many: int) -> list[str]:
    """The second reader's result as lines of text."""
    equal, kappa = theirs.agreement, theirs.kappa
    name, asked = visible(theirs.model), theirs.agreement.n + theirs.n_unread
    if equal.value is None:
        return ["", f"{name} gave no reading that could be understood, of {number_of(asked, 'reply')}."]
    share = f"{percent(equal.value)}% [{percent(equal.low)}, {percent(equal.high)}]"
    beyond = ratio(kappa) if kappa.value is not None else f"not defined ({kappa.note})"
    of = number_of(equal.n, "reply")
    said = [
        "",
        f"{name} ({theirs.rubric}) agrees with {theirs.first} on {share} of {of}; Cohen's kappa {beyond}.",
        f"Read differently: {len(theirs.disagreements):,}. No reading as asked for: {theirs.n_unread:,} of {asked:,}.",
    ]
    for one in theirs.disagreements[:many]:
        reply = one.item.reply
        said += [
            f"{visible(reply.model)}, prompt {reply.prompt_id}, sample {reply.sample}: {one.first} against {one.second}"
        ]
        said += [f"  {_around(reply.text, len(reply.text))}"]
    return said


def second_body(theirs: SecondReading) -> dict[str, Any]:
    """Everything about the second reader for a program, with excerpts of the replies."""
    rows = []
    for one in theirs.disagreements:
        reply = one.item.reply
        where = {"model": reply.model, "prompt_id": reply.prompt_id, "sample": reply.sample}
        rows.append(where | {"first": one.first, "second": one.second, "reply": _around(reply.text, len(reply.text))})
    return asdict(theirs) | {"disagreements": rows}
