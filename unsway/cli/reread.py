"""The verb `reread`: kept replies read again, by today's reader and, where wanted, by a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unsway.cli.main import main
from unsway.cli.options import as_json, json_option

if TYPE_CHECKING:
    from unsway.report.kept_outcomes import Changed, Reread

CUT = 160
"""Characters of a reply that are shown."""


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--show", "many", type=click.IntRange(min=0), default=5, show_default=True, help="Changes to show.")
@json_option
def reread(folder: Path, many: int, json_: bool) -> None:
    """Read the kept replies of FOLDER again with today's reader and say which answers changed. No model is asked."""
    from unsway.report.kept_outcomes import reread as again

    found = again(folder)
    if json_:
        as_json(_body(found))
        return
    for line in _lines(found, many):
        click.echo(line)


def _body(found: Reread) -> dict[str, Any]:
    """Everything for a program; the replies as cuts."""
    from dataclasses import asdict

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
            {"model": one.model, "prompt_id": one.prompt_id, "sample": one.sample, "arm": one.side}
            | {"old": asdict(one.old), "new": asdict(one.new), "reply": _cut(one)}
            for one in found.changed
        ],
    }


def _lines(found: Reread, many: int) -> list[str]:
    """What a person reads."""
    from unsway.report.kept_outcomes import named
    from unsway.report.words import listed, percent, visible

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
        where = f"{visible(one.model)}, prompt {one.prompt_id}, sample {one.sample}, {one.side}"
        said += ["", f"{where}: {named(one.old)} → {named(one.new)} ({one.new.rule})", f"  {_cut(one)}"]
    return said


def _cut(one: Changed) -> str:
    """A cut of the reply around what was read, now or before, else its end; on one line, no control characters."""
    from unsway.report.words import visible

    text, span = one.reply.text, one.new.span or one.old.span
    end = len(text) if span is None else min(len(text), span[1] + CUT // 4)
    start = max(0, end - CUT)
    return ("… " if start else "") + visible(text[start:end]) + (" …" if end < len(text) else "")
