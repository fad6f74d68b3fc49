"""From raw replies to numbers with intervals: outcomes, estimates, comparisons, power. Pure numpy and scipy.

In: pairs and replies. Out: `Outcome`s (`outcomes`), cells of `Estimate`s (`estimates`), ratios and differences between
models (`compare`), and what a number of questions can show (`power`). The question is the unit, the clean and the biased side
are paired, and missing answers are counted, never scored.

Each axis of an array is a letter at the end of its name:

| letter | axis |
|---|---|
| Q | question |
| B | bias |
| S | training seed |
| R | bootstrap draw |
| G | group of questions with equal outcomes |
| U | unit read by several readers |
| L | possible label |

`unsway.models` also uses N (row of a batch), T (token), C (token of a completion) and V (entry of the vocabulary).
"""
