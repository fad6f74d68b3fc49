"""The verb `reread`: kept replies read again, by today's reader and, where wanted, by a model."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unsway.cli.main import main
from unsway.cli.options import as_json, json_option, model_args_option, model_arguments, seed_option

if TYPE_CHECKING:
    from unsway.judging.second_reader import Disagreement, SecondReading
    from unsway.studies.kept_outcomes import ChangedReading, Reread

CUT = 160
"""Characters of a reply that are shown."""


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--show", "many", type=click.IntRange(min=0), default=5, show_default=True, help="Changes to show.")
@click.option("--second-reader", metavar="MODEL", help="A model that reads replies too, to see how far the two agree.")
@click.option(
    "-n", "n", type=click.IntRange(min=1), default=200, show_default=True, help="Replies for the second reader."
)
@seed_option
@model_args_option
@json_option
def reread(
    folder: Path, many: int, second_reader: str | None, n: int, seed: int, model_args: tuple[str, ...], json_: bool
) -> None:
    """Read the kept replies of FOLDER again with today's reader and say which answers changed.

    No model is asked, unless --second-reader names one. What it read is kept in FOLDER/second_reader; from then on table and
    page say how often the first reader is wrong, by side, and give every BRR without these errors beside the one as read.
    """
    from unsway import layout
    from unsway.store import write_jsonl
    from unsway.studies.kept_outcomes import joined
    from unsway.studies.kept_outcomes import reread as again

    found = again(folder)
    body, said = _body(found), _lines(found, many)
    if second_reader:
        from unsway.judging import second_reader as judge

        more = model_arguments(model_args, None)
        place = folder / layout.SECOND_READER
        theirs = judge.second_reader(*joined(folder), second_reader, n=n, seed=seed, folder=place, model_args=more)
        write_jsonl(folder / layout.SECOND_READINGS, theirs.verdicts)
        body["second_reader"] = asdict(theirs) | {"disagreements": [_row(one) for one in theirs.disagreements]}
        said += _second_lines(theirs, many)
    if json_:
        as_json(body)
        return
    for line in said:
        click.echo(line)


def _body(found: Reread) -> dict[str, Any]:
    """Everything for a program; the replies as cuts."""
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


def _lines(found: Reread, many: int) -> list[str]:
    """What a person reads."""
    from unsway.reporting.words import listed, percent, visible
    from unsway.studies.kept_outcomes import named

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
        said += ["", f"{where}: {named(one.old)} → {named(one.new)} ({one.new.rule})", f"  {_cut(one)}"]
    return said


def _cut(one: ChangedReading) -> str:
    """A cut of the reply around what was read, now or before, else its end."""
    span = one.new.span or one.old.span
    return _around(one.reply.text, len(one.reply.text) if span is None else span[1] + CUT // 4)


def _around(text: str, end: int) -> str:
    """The characters of a text up to a place, on one line, without control characters."""
    from unsway.reporting.words import visible

    end = min(len(text), end)
    start = max(0, end - CUT)
    return ("… " if start else "") + visible(text[start:end]) + (" …" if end < len(text) else "")


# ---------------------------------------------------------------- the second reader


def _second_lines(theirs: SecondReading, many: int) -> list[str]:
    """What a person reads of the second reader."""
    from unsway.reporting.words import percent, ratio, visible

    equal, kappa = theirs.agreement, theirs.kappa
    name, asked = visible(theirs.model), theirs.agreement.n + theirs.n_unread
    if equal.value is None:
        return ["", f"{name} gave no reading that could be understood, of {asked:,} replies."]
    share = f"{percent(equal.value)}% [{percent(equal.low)}, {percent(equal.high)}]"
    beyond = ratio(kappa) if kappa.value is not None else f"not defined ({kappa.note})"
    said = [
        "",
        f"{name} ({theirs.rubric}) agrees with {theirs.first} on {share} of {equal.n:,} replies; Cohen's kappa {beyond}.",
        f"Read differently: {len(theirs.disagreements):,}. No reading as asked for: {theirs.n_unread:,} of {asked:,}.",
    ]
    for one in theirs.disagreements[:many]:
        reply = one.item.reply
        said += [
            f"{visible(reply.model)}, prompt {reply.prompt_id}, sample {reply.sample}: {one.first} against {one.second}"
        ]
        said += [f"  {_around(reply.text, len(reply.text))}"]
    return said


def _row(one: Disagreement) -> dict[str, Any]:
    """A disagreement for a program."""
    reply = one.item.reply
    where = {"model": reply.model, "prompt_id": reply.prompt_id, "sample": reply.sample}
    return where | {"first": one.first, "second": one.second, "reply": _around(reply.text, len(reply.text))}
