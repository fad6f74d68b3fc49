"""Build pairs from names, as given by `--questions`, `--biases` and so on; checked before any model is asked.

In: names of sources, files and biases. Out: a `PairSet` that also says what was skipped, and why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from unsway import biases, sources
from unsway.errors import BadInput
from unsway.importing import released
from unsway.pairing import PairSet, Skipped
from unsway.planning.stand_ins import biases_with_arguments, stand_in_pairs
from unsway.studies.study import Study, check
from unsway.studies.values import Task

WITHOUT_ARGUMENTS = "it quotes arguments, and --arguments names none"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked, by name."""

    questions: tuple[str, ...] = ()
    """Sources, or files of questions."""
    prompts: tuple[Path, ...] = ()
    """Files of prompts released with arXiv 2403.05518, asked as they are, instead of questions."""
    biases: tuple[str, ...] = ("suggested_answer",)
    """Biases, `name/form`, paths of `.cue.txt` files; ("all",) takes every installed bias."""
    n: int | None = None
    """Number of questions of each source or file; None takes all of a question file, and 100 of anything else."""
    columns: str = ""
    """Meaning of the columns of question files (docs/sources.md)."""
    skip_bad: bool = False
    """Whether invalid rows of question files are left out and counted."""
    elicit: tuple[str, ...] = ("cot",)
    """How questions are put."""
    split: str | None = None
    """Split of the sources; None takes the default of each."""
    arguments: Path | None = None
    """File of arguments, for biases that quote them."""
    keep_gold: bool = False
    """Whether to keep released rows whose cue points to the right option, as NAME/gold."""
    seed: int = 0
    """Seed of the questions, of the cued options and of the cues."""

    def pairs(self, model: str) -> PairSet:
        """The pairs that a model would be asked.

        Raises:
            BadInput: Neither or both of questions and prompts are named; or as `studies.check`.
            UnknownName: A name is unknown.
        """
        if bool(self.questions) == bool(self.prompts):
            raise BadInput("Name what to ask: either --questions or --prompts.")
        if self.prompts:
            pair_sets = (
                released.load(path, n=self.n or sources.N, seed=self.seed, keep_gold=self.keep_gold)
                for path in self.prompts
            )
            return sum(pair_sets, PairSet())
        is_all = self.biases == ("all",)
        values = [biases.resolve(name) for name in (biases.names() if is_all else self.biases)]
        quoting_biases = [bias for bias in values if is_all and self.arguments is None and "arguments" in bias.wants]
        tasks = []
        for name in self.questions:
            source = sources.resolve(name, self.columns, self.skip_bad)
            takes_all = self.n is None and isinstance(source, sources.QuestionFile)
            tasks.append(Task(source, len(sources.load(source, split=self.split)) if takes_all else self.n, self.split))
        study = Study(
            models=(model,),
            biases=tuple(bias for bias in values if bias not in quoting_biases),
            tasks=tuple(tasks),
            elicit=self.elicit,
            n=self.n or sources.N,
            seed=self.seed,
            arguments=None if self.arguments is None else str(self.arguments),
        )
        check(study)
        pair_set = study.pairs()
        with_source = {bias.versioned for bias in values if bias.source}
        ids = dict.fromkeys(pair.question.id for pair in pair_set if pair.bias not in with_source)
        return pair_set + PairSet(
            (),
            tuple(
                Skipped(question_id, bias.versioned, WITHOUT_ARGUMENTS)
                for bias in quoting_biases
                for question_id in ids
            ),
        )

    def planned(self, model: str) -> tuple[PairSet, tuple[str, ...]]:
        """The pairs for a plan, and the biases that quote stand-ins because their arguments are not written yet."""
        names = () if self.biases == ("all",) or self.prompts else self.biases
        quoting_biases = biases_with_arguments(names) if self.arguments is None else ()
        if not quoting_biases:
            return self.pairs(model), ()
        rest = tuple(name for name in names if name not in quoting_biases)
        pair_set = replace(self, biases=rest or ("suggested_answer",)).pairs(model)
        stand_ins = stand_in_pairs(pair_set, quoting_biases, self.elicit, self.seed)
        return (pair_set + stand_ins if rest else stand_ins), quoting_biases
