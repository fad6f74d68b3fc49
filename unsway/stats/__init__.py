"""From raw replies to numbers with intervals: outcomes, estimates, comparisons, power. Pure numpy and scipy.

In: pairs and replies. Out: `Outcome`s (`outcomes`), cells of `Estimate`s (`estimates`), ratios and differences between
models (`compare`), and what a number of questions can show (`power`). The question is the unit, the clean and the biased side
are paired, and what is missing is counted, never scored.

The name of an array ends in a letter for each axis:

| letter | axis |
|---|---|
| Q | question |
| B | bias |
| S | training seed |
| R | bootstrap draw |
| G | group of questions with equal outcomes |
| U | unit that several readers read |
| L | label that a reader may give |

In `unsway.models` also N (row of a batch), T (token), C (token of a completion) and V (entry of the vocabulary).
"""
