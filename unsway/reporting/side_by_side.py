"""All arms of a study side by side, in Markdown: how far cues still move each one, compared with which arm, at what cost.

In: `Results`. Out: three tables. The first has a row for each bias and a column for each arm. The second compares each arm
with its reference on the same questions: a trained arm with its control, all others with their base. The third is
`reporting.costs`. `docs/results.md` is made with `unsway table FOLDER --arms`.
"""

from __future__ import annotations

from unsway.reporting import costs, words
from unsway.reporting.formats import escape, markdown_table
from unsway.reporting.headline import difference
from unsway.stats.by_prompt import by_prompt
from unsway.studies.arms import Arm, control_of
from unsway.studies.results import Results


def to_markdown(results: Results) -> str:
    """The three tables, each below a line that describes it; a table without columns is left out."""
    intervals = f"with {words.level(results.level)} intervals"
    brr = (
        f"Biased reasoning rate in points, {intervals}; in brackets the questions that count; * trained on.",
        brr_table(results),
    )
    differences = (
        f"The difference of that rate to another arm, on the questions that count in both, {intervals}.",
        difference_table(results),
    )
    parts = []
    for title, (heads, *rows) in (brr, differences):
        if heads[1:]:
            parts.append(f"{escape(title)}\n\n" + "\n".join(markdown_table(heads, rows)) + "\n")
    return "\n".join([*parts, costs.to_markdown(results)])


def brr_table(results: Results) -> list[tuple[str, ...]]:
    """The heads, BRR of every bias and arm, then accuracy and the share of replies that were read, of every arm."""
    rows: list[tuple[str, ...]] = [("bias", *(words.visible(arm.label) for arm in results.arms))]
    for bias in results.biases:
        texts = []
        for arm in results.arms:
            cell = results.cell(arm, bias)
            star = "*" if arm.role == "trained" and results.is_trained(bias, arm) else ""
            texts.append(words.NONE if cell is None else f"{words.brr(cell['brr'])}{star} ({cell['brr'].n})")
        rows.append((words.human(bias), *texts))
    shares = [by_prompt(results.outcomes.only(arm=arm.key), results.pairs) for arm in results.arms]
    for head, name in (("accuracy", "accuracy"), ("replies read", "parse_rate")):
        rows.append((f"{head}, clean → biased", *(words.both_sides(arm_shares, name) for arm_shares in shares)))
    return rows


def difference_table(results: Results) -> list[tuple[str, ...]]:
    """The heads, then BRR of every arm minus BRR of its reference, for every bias."""
    compared_arms: list[tuple[Arm, Arm]] = []
    for arm in results.arms:
        reference = (arm.role == "trained" and control_of(results.arms, arm)) or results.base_of(arm)
        if arm.role != "base" and reference is not None:
            compared_arms.append((arm, reference))
    heads = (
        "bias",
        *(f"{words.visible(arm.label)} − {words.visible(reference.label)}" for arm, reference in compared_arms),
    )
    rows = []
    for bias in results.biases:
        texts = [words.points(difference(results, arm, reference, [bias])) for arm, reference in compared_arms]
        rows.append((words.human(bias), *texts))
    return [heads, *rows]
