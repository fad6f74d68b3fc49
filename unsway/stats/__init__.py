"""From raw replies to numbers with intervals: outcomes, estimates, comparisons, and the plan. Pure numpy and scipy.

In: pairs and replies. Out: `Outcome`s (`outcomes`), cells of `Estimate`s (`estimates`), ratios and differences between
models (`compare`), and what a study will cost and can detect (`power`). The question is the unit, arms are paired, and
what is missing is counted, never scored.
"""
