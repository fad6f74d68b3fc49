"""How good are the judges of this package? Patterns and the embedded model against blind labels by people.

    python experiments/human_labels.py coherence_dev.jsonl.gz --by patterns,unsway/smollm2-135m --out runs/judged-labels

The file is the one released with arXiv 2403.05518, or one that `unsway label --export` wrote. The table has a line for each
judge and question: labels, missing verdicts, sensitivity and specificity, kappa, AC1, AUROC of the marks, and the verdict of
the gate. Two baselines have their own lines, always yes and the length of the reply: a judge must beat both.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from unsway.judging import rubrics
from unsway.judging.foreign_labels import import_labels
from unsway.judging.items import LabelItem, in_order
from unsway.judging.label_store import LabelStore
from unsway.judging.patterns import pattern_verdicts
from unsway.judging.trust import JudgeCard, judge_card, name_of
from unsway.judging.verdicts import verdicts
from unsway.reporting.formats import markdown_table
from unsway.reporting.judged import card_rows
from unsway.types import Settings, Verdict

NAMES = {
    "Distractor Argument": "distractor_argument",
    "AreYouSureSecondRoundCot": "are_you_sure",
    "PostHocNoPlease": "post_hoc",
    "BlackSquareBiasedFormatter": "spurious_squares",
    "WrongFewShotMoreClearlyLabelledAtBottom": "wrong_few_shot",
    "FirstLetterDistractor": "distractor_fact",
    "RandomBiasedFormatter": "suggested_answer",
}
"""Biases of the released file by our names."""
ASKED = {"coherent": 24, "mentions_cue": 96}
"""Questions, and tokens that a judge's reply may have."""


def baseline(items: Sequence[LabelItem], question: str, name: str, values: Sequence[bool | int]) -> list[Verdict]:
    """The verdicts of a judge that reads nothing."""
    rubric = rubrics.get(question)
    said = zip(items, values, strict=True)
    return [Verdict(i.address, "answer", rubric.versioned, name, value, pair=i.pair) for i, value in said]


@click.command(help=__doc__)
@click.argument("labels", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", default="patterns", show_default=True, help="Judges with commas: models, or patterns.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for what models say; a second run asks nothing.")
@click.option("--ask", default=",".join(ASKED), show_default=True, help="Questions with commas.")
@click.option("-n", type=click.IntRange(1), default=None, help="At most so many replies, drawn by a seed; else all.")
@click.option("--json", "json_", type=click.Path(path_type=Path), help="Also write the rows there.")
def main(labels: Path, by: str, ask: str, out: Path | None, n: int | None, json_: Path | None) -> None:
    with TemporaryDirectory() as place:
        import_labels(labels, place)
        store = LabelStore(place)
        drawn = in_order(store.items(), 0)[:n]
        items = [replace(item, bias=f"{NAMES.get(item.bias, item.bias)}@labelled") for item in drawn]
        people = store.labels()
    judged, question_of = [item.judged() for item in items], {item.address: item.question_id for item in items}
    length_of = {item.address: len(item.reply) for item in items}
    middle = sorted(length_of.values())[len(length_of) // 2]
    cards: list[JudgeCard] = []
    for question in ask.split(","):
        tokens = ASKED[question]
        rows = [
            baseline(items, question, "always yes", [5 if question == "coherent" else True] * len(items)),
            baseline(
                items,
                question,
                "longer than most",
                [
                    (4 if len(i.reply) > middle else 3) if question == "coherent" else len(i.reply) > middle
                    for i in items
                ],
            ),
        ]
        for who in by.split(","):
            if who != "patterns":
                folder = None if out is None else out / who.replace("/", "_")
                settings = Settings(max_tokens=tokens)
                rows.append([*verdicts(judged, rubrics.get(question), who, folder=folder, settings=settings)])
            elif question == "mentions_cue":
                rows.append([*pattern_verdicts(judged)])
                rows += by_bias(rows[-1], items)
        cards += [judge_card(row, people, question_of, length_of) for row in rows]
        click.echo(f"{question}: {len([p for p in people if name_of(p) == question])} labels", err=True)
    table = card_rows(cards)
    click.echo("\n".join(markdown_table([*table[0]], [[str(value) for value in row.values()] for row in table])))
    if json_:
        json_.write_text(json.dumps(table, indent=1))


def by_bias(row: Sequence[Verdict], items: Sequence[LabelItem]) -> list[list[Verdict]]:
    """The verdicts of the patterns, each family of cues apart."""
    bias_of = {item.address: item.bias.partition("@")[0] for item in items}
    found: dict[str, list[Verdict]] = {}
    for verdict in row:
        name = bias_of[verdict.reply]
        found.setdefault(name, []).append(replace(verdict, by=f"{verdict.by}: {name}"))
    return [*found.values()]


if __name__ == "__main__":
    main()
