"""The whole loop on the embedded model: measure, train, measure again, show. Runs on a laptop without a GPU or a hub.

In: a folder. Out: a table in the terminal and `report.html` in the folder.
Everything here is the public API as a user would call it; killed anywhere, a second call goes on where it stopped, and
one that finished asks the model nothing.

The embedded model (135M parameters) can hardly do multiple-choice questions; it shows the method at work, not what larger
models do. Questions, wording and training settings were chosen on validation questions; the test questions are others.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from unsway import sources
from unsway.backends import backend
from unsway.data import Mixture, Recipe, mixture
from unsway.pairs import PairSet, pairs
from unsway.report.folder import keep, results
from unsway.report.page import write_page
from unsway.report.study import Arm, ArmRole, Results
from unsway.run import Session, run, session, subject
from unsway.store import write_text
from unsway.train import Bct, Control, Sft, fit
from unsway.types import Checkpoint, Example, Question, Settings

RECIPE = Recipe(
    n=300,
    direct_share=0.2,
    elicit="brief",
    biases=("suggested_answer", "suggested_against", "post_hoc"),
    instructions="default",
    instruct=60,
    max_tokens=160,
)
SETTINGS = Settings(max_tokens=96)


class Take(NamedTuple):
    """Questions of a source: n of them in seeded order, after those before them."""

    source: str
    n: int
    split: str | None = None
    after: int = 0

    def load(self, seed: int) -> tuple[Question, ...]:
        """The questions."""
        return sources.load(self.source, n=self.after + self.n, seed=seed, split=self.split)[self.after :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """The study that `unsway demo` runs, as a value; its defaults were chosen on validation questions."""

    base: str = "unsway/smollm2-135m"
    elicit: str = "brief"
    """One worked example, then a sentence or two of reasoning: the form that a model of this size can follow."""
    trained: tuple[str, ...] = ("suggested_answer", "post_hoc")
    held_out: tuple[str, ...] = ("wrong_few_shot", "distractor_fact")
    test: tuple[Take, ...] = (Take("sciq", 100, "validation", after=200), Take("common_knowledge", 50, "test"))
    """Test questions. SciQ has one split here: its first 200 in seeded order are those that settings are chosen on."""
    train: tuple[Take, ...] = (Take("arc_easy", 200), Take("openbookqa", 200))
    """Train questions, of other sources."""
    recipe: Recipe = RECIPE
    epochs: float = 1.0
    batch_size: int = 8
    learning_rate: float = 1e-3
    """On 135 validation questions the BRRs of the trained cues fell from 21 and 28 points to 5 and 13 at this rate (360
    rows), and to 13 and 12 at half of it (240 rows)."""
    settings: Settings = SETTINGS
    """Greedy; replies longer than 96 tokens are cut, and a cut reply is missing."""
    seed: int = 0


def demo(folder: str | Path, study: Demo = Demo()) -> Results:
    """Run the study in a folder and write its report.

    Raises:
        AssetUnavailable: The model or the questions could not be had; says what was tried.
    """
    place, start = Path(folder), time.monotonic()
    asked = _test_pairs(study)
    with session(study.base) as base:
        _measure(place, asked, study, "base", "base", base)
        mix = _training_set(place, asked, study, base)
    _train_and_measure(place, asked, study, "control", "control", _method(Control, study), mix.control)
    _train_and_measure(place, asked, study, "bct", "trained", _method(Bct, study), mix.bct)
    found = results(
        place,
        title="unsway demo: measure, train, measure again",
        trained_biases=study.trained,
        about={"study": repr(study), "command": "unsway demo", "took": f"{_seconds(place, start):.0f} s"},
    )
    write_page(found, place / "report.html")
    return found


def _seconds(place: Path, start: float) -> float:
    """Seconds that the study took so far, over all the times that it was started."""
    path = place / "seconds.txt"
    before = float(path.read_text(encoding="utf-8")) if path.exists() else 0.0
    total = before + time.monotonic() - start
    write_text(path, f"{total:.1f}\n")
    return total


def _train_and_measure(
    place: Path, asked: PairSet, study: Demo, label: str, role: ArmRole, how: Sft, rows: tuple[Example, ...]
) -> None:
    checkpoint = fit(rows, how, study.base, backend("local"), place / label)
    _measure(place, asked, study, label, role, checkpoint)


def _test_pairs(study: Demo) -> PairSet:
    questions = [question for take in study.test for question in take.load(study.seed)]
    return pairs(questions, study.trained + study.held_out, elicit=study.elicit, seed=study.seed)


def _training_set(place: Path, asked: PairSet, study: Demo, base: Session) -> Mixture:
    """Rows from train sources that share no question with the test."""
    questions = [question for take in study.train for question in take.load(study.seed)]
    sources.check_overlap(questions, [pair.question for pair in asked])
    made = mixture(study.recipe, questions, base, folder=place)
    made.write(place / "data")
    return made


def _method(how: type[Sft], study: Demo) -> Sft:
    return how(epochs=study.epochs, batch_size=study.batch_size, learning_rate=study.learning_rate, seed=study.seed)


def _measure(place: Path, asked: PairSet, study: Demo, label: str, role: ArmRole, model: Session | Checkpoint) -> None:
    run(asked, model, settings=study.settings, folder=place, label=label)
    who = subject(model)
    keep(place, asked, Arm(label, who.name, who.weights, role, model if isinstance(model, Checkpoint) else None))
