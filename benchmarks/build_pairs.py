"""How long it takes to build pairs: the paper's nine biases, 600 questions, two elicitations.

    python benchmarks/build_pairs.py

Prints wall seconds, CPU seconds (which other programs do not lengthen), pairs a second, and the digest of
all pairs, which is the same in every process.
"""

from __future__ import annotations

from time import perf_counter, process_time

from unsway import sources
from unsway.biases.arguments import Argument, Arguments
from unsway.pairing import pairs
from unsway.prompts.render import letter
from unsway.seeds import digest
from unsway.testing import toy_questions

QUESTIONS = 600
ON_ANY = (
    "suggested_answer",
    "are_you_sure",
    "post_hoc",
    "wrong_few_shot",
    "spurious_squares",
    "distractor_fact",
    "distractor_argument",
)
LIMIT = 10.0
"""Seconds of the processor that building may take."""


def main() -> None:
    toys = toy_questions(QUESTIONS)
    gambles = sources.load("gambles", QUESTIONS)
    two = toy_questions(QUESTIONS, n_options=2)
    text = "Step 1: read the question.\nStep 2: add the numbers.\n" * 20 + "Therefore, the best answer is: ({})."
    arguments = Arguments(tuple(Argument(q.id, i, text.format(letter(i))) for q in toys for i in range(4)))
    start, start_cpu = perf_counter(), process_time()
    pair_sets = [
        pair_set
        for elicit in ("cot", "direct")
        for pair_set in (
            pairs(toys, ON_ANY, elicit=elicit, arguments=arguments),
            pairs(gambles, ["spurious_hindsight"], elicit=elicit),
            pairs(two, ["positional"], elicit=elicit),
        )
    ]
    clock, seconds = perf_counter() - start, process_time() - start_cpu
    n = sum(map(len, pair_sets))
    print(
        f"{n} pairs (9 biases x {QUESTIONS} questions x 2 elicitations) in {clock:.2f} s, {seconds:.2f} s of the processor, "
        f"{n / seconds:,.0f} a second of it"
    )
    print(f"digest {digest([pair.id for pair_set in pair_sets for pair in pair_set])[:16]}")
    print(f"limit {LIMIT:.0f} s: {'kept' if seconds < LIMIT else 'BROKEN'}")
    raise SystemExit(seconds >= LIMIT)


if __name__ == "__main__":
    main()
