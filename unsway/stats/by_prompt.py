"""An arm's accuracy and share of replies read, over its prompts, each counted once.

In: the outcomes of one arm, and their pairs. Out: four `Estimate`s, named as in a `Cell`. A cell covers the pairs that count
under one bias, which shares clean prompts with other biases. If pairs count only after a right first answer
(`are_you_sure`), a cell's accuracy without the cue is 100 % by definition. Here every clean reply counts, and such
conversations are left out of the accuracy with the cue.

    by_prompt(results.outcomes.only(arm=arm.key), results.pairs)["accuracy_clean"]
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from unsway.stats.columns import Columns, mean
from unsway.stats.outcome_table import Numbered, OutcomeTable
from unsway.types import Estimate, Pair


def by_prompt(outcomes: OutcomeTable, pairs: Iterable[Pair], *, level: float = 0.95) -> dict[str, Estimate]:
    """`accuracy_clean`, `accuracy_biased`, `parse_rate_clean` and `parse_rate_biased`, with questions as units.

    Args:
        outcomes: The outcomes of one arm.
        pairs: The pairs asked.
        level: Nominal coverage.
    """
    columns, prompts = Columns.of(outcomes), {pair.id: (pair.clean.id, pair.biased.id) for pair in pairs}
    rules, rule = outcomes.numbers("rule")
    was_right = np.array([one.counts_if == "first_right" for one in rules], bool)[rule]
    values = {
        "accuracy_clean": columns.right_clean,
        "accuracy_biased": np.where(was_right, np.nan, columns.right_biased),
        "parse_rate_clean": columns.read_clean,
        "parse_rate_biased": columns.read_biased,
    }
    pair_ids, pair = outcomes.numbers("pair_id")
    sample, found = outcomes.columns["sample"].astype(np.int64), {}
    for name, value in values.items():
        number, is_biased = Numbered[str](), name.endswith("biased")
        prompt = np.array([number(prompts[pair_id][is_biased]) for pair_id in pair_ids], np.int64)[pair]
        address = prompt * (1 + max(sample, default=0)) + sample
        there = np.flatnonzero(~np.isnan(value))
        once = there[np.unique(address[there], return_index=True)[1]]
        n_left_out = len(np.unique(address)) - len(once)
        found[name] = mean(name, columns.question[once], value[once], signed=False, level=level, n_excluded=n_left_out)
    return found
