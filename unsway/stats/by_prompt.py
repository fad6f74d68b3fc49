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
    columns = Columns.of(outcomes)
    prompts = {pair.id: (pair.clean.id, pair.biased.id) for pair in pairs}
    rules, rule_index = outcomes.numbers("rule")
    was_right = np.array([rule.counts_if == "first_right" for rule in rules], bool)[rule_index]
    values = {
        "accuracy_clean": columns.right_clean,
        "accuracy_biased": np.where(was_right, np.nan, columns.right_biased),
        "parse_rate_clean": columns.read_clean,
        "parse_rate_biased": columns.read_biased,
    }
    pair_ids, pair_index = outcomes.numbers("pair_id")
    sample = outcomes.columns["sample"].astype(np.int64)
    estimates = {}
    for name, value in values.items():
        number = Numbered[str]()
        is_biased = name.endswith("biased")
        prompt = np.array([number(prompts[pair_id][is_biased]) for pair_id in pair_ids], np.int64)[pair_index]
        address = prompt * (1 + max(sample, default=0)) + sample
        present = np.flatnonzero(~np.isnan(value))
        first = present[np.unique(address[present], return_index=True)[1]]
        n_left_out = len(np.unique(address)) - len(first)
        estimates[name] = mean(
            name, columns.question[first], value[first], signed=False, level=level, n_excluded=n_left_out
        )
    return estimates
