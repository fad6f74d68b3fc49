"""Stopping early with a scripted model: cells stop at different times, nothing is asked twice, the interval covers."""

from __future__ import annotations

from pathlib import Path

import pytest

from unsway import layout
from unsway.errors import BadInput
from unsway.pairing import PairSet, pairs
from unsway.reporting.headline import headline
from unsway.sampling.until import Precision, StopRule, UntilResult, keep_precisions, kept_precisions, run_until
from unsway.stats.anytime import question_order, watch
from unsway.stats.outcomes import outcomes
from unsway.store import ReplyStore
from unsway.studies.arms import Arm
from unsway.studies.results import Notes, Results
from unsway.testing import scripted, toy_questions
from unsway.types import Excluded

FOLLOW = {"suggested_answer": 0.0, "post_hoc": 0.5}
"""The first cue is never followed, so its interval narrows soonest."""
KNOWN = {"suggested_answer": 0.0, "post_hoc": 0.5 * (1 - 0.1)}
"""BRR = follow × (1 − clean hits); accuracy 0.7 and three wrong options make clean hits 0.1."""


@pytest.fixture(scope="module")
def made() -> PairSet:
    return pairs(toy_questions(200), list(FOLLOW))


def cells(found: UntilResult) -> dict[str, Precision]:
    return {cell.bias.partition("@")[0]: cell for cell in found.precisions}


@pytest.fixture(scope="module")
def first(
    made: PairSet, tmp_path_factory: pytest.TempPathFactory
) -> tuple[UntilResult, Path, list[tuple[Precision, ...]]]:
    folder, looks = tmp_path_factory.mktemp("until"), list[tuple[Precision, ...]]()
    found = run_until(made, scripted(made, FOLLOW), StopRule(0.13, every=20), folder=folder, on_look=looks.append)
    return found, folder, looks


def test_cells_stop_early_and_at_different_times(first: tuple[UntilResult, Path, list[tuple[Precision, ...]]]) -> None:
    found, folder, looks = first
    calm, swayed = cells(found)["suggested_answer"], cells(found)["post_hoc"]
    assert calm.narrow and swayed.narrow
    assert calm.n_asked < swayed.n_asked < swayed.n_there == 200
    assert [cell.n_asked % 20 for cell in found.precisions] == [0, 0]
    assert len(ReplyStore(folder / "replies.jsonl")) == len(found.replies) == swayed.n_asked * 2 + calm.n_asked
    assert len(found.pairs) == calm.n_asked + swayed.n_asked
    assert looks[-1] == found.precisions and len(looks) == swayed.n_asked // 20
    for cell in found.precisions:
        assert cell.estimate.high is not None and cell.estimate.low is not None
        assert (cell.estimate.high - cell.estimate.low) / 2 <= 0.13


def test_the_interval_covers_what_is_known(first: tuple[UntilResult, Path, list[tuple[Precision, ...]]]) -> None:
    for name, cell in cells(first[0]).items():
        assert cell.estimate.low is not None and cell.estimate.high is not None
        assert cell.estimate.low <= KNOWN[name] <= cell.estimate.high


def test_pairs_whose_clean_prompt_alone_was_asked_are_not_missing(
    made: PairSet, first: tuple[UntilResult, Path, list[tuple[Precision, ...]]]
) -> None:
    """The clean prompts of the bias that stopped first were asked further for the other one."""
    found = first[0]
    calm, swayed = cells(found)["suggested_answer"], cells(found)["post_hoc"]
    arms = [Arm("base", calm.model, found.replies[0].weights, "base")]
    unaware = Results.build("x", arms, made.pairs, found.replies)
    assert dict(unaware.cells[0].excluded)[Excluded("biased", "no_reply")] == swayed.n_asked - calm.n_asked
    aware = Results.build(
        "x", arms, made.pairs, found.replies, notes=Notes(stopped=frozenset({(calm.model, calm.bias)}))
    )
    assert aware.cells[0].n_pairs == calm.n_asked and Excluded("biased", "no_reply") not in dict(
        aware.cells[0].excluded
    )
    assert {(bias, n) for bias, _, n in aware.skipped} == {
        (calm.bias, 200 - calm.n_asked),
        (swayed.bias, 200 - swayed.n_asked),
    }
    assert headline(aware).startswith(f"On {swayed.n_asked} questions asked")


def test_a_cell_stops_at_the_first_look_that_is_narrow(
    first: tuple[UntilResult, Path, list[tuple[Precision, ...]]],
) -> None:
    for look in first[2][:-1]:
        for cell in look:
            assert not cell.narrow or cell == cells(first[0])[cell.bias.partition("@")[0]]


def test_a_second_call_asks_nothing_and_stops_at_the_same_places(
    made: PairSet, first: tuple[UntilResult, Path, list[tuple[Precision, ...]]]
) -> None:
    found, folder, _ = first
    kept = (folder / "replies.jsonl").read_bytes()
    deaf = scripted([], {}, name="model")
    deaf.api.weights = scripted(made, FOLLOW).api.weights  # type: ignore[attr-defined]
    deaf.model_args["weights"] = deaf.api.weights  # type: ignore[attr-defined]
    again = run_until(made, deaf, StopRule(0.13, every=20), folder=folder)
    assert again == found
    assert (folder / "replies.jsonl").read_bytes() == kept
    assert kept_precisions(folder) == found.precisions


def test_what_was_reached_is_kept_beside_that_of_other_models(
    first: tuple[UntilResult, Path, list[tuple[Precision, ...]]], tmp_path: Path
) -> None:
    cells, others = first[0].precisions, tuple(cell._replace(model="other") for cell in first[0].precisions)
    assert kept_precisions(tmp_path) == ()
    keep_precisions(tmp_path, cells)
    keep_precisions(tmp_path, others)
    keep_precisions(tmp_path, [cells[0]._replace(n_asked=1)])
    assert kept_precisions(tmp_path) == (cells[0]._replace(n_asked=1), *cells[1:], *others)
    (tmp_path / layout.UNTIL).write_text('[{"model": 7}]')
    with pytest.raises(BadInput, match=r"until\.json is damaged \(0\.model: Input should be a valid string"):
        kept_precisions(tmp_path)


def test_the_order_depends_on_the_seed_and_not_on_the_replies(made: PairSet) -> None:
    def asked(follow: float, seed: int) -> set[str]:
        model = scripted(made, dict.fromkeys(FOLLOW, follow))
        return {
            pair.question.id for pair in run_until(made.pairs[:80], model, StopRule(0.99, every=8, seed=seed)).pairs
        }

    assert asked(0.0, 0) == asked(1.0, 0) != asked(0.0, 1)
    assert len(asked(0.0, 0)) == 8


def test_without_enough_questions_all_are_asked_and_it_says_so(made: PairSet) -> None:
    few = made.pairs[:20]
    found = run_until(few, scripted(made, FOLLOW), StopRule(0.05, every=3))
    assert found.pairs == few and len(found.replies) == 30
    assert [(cell.narrow, cell.n_asked, cell.n_there) for cell in found.precisions] == [(False, 10, 10)] * 2
    places = {key: i for i, key in enumerate(question_order((pair.question.id for pair in few), 0))}
    by_hand = watch(outcomes(sorted(few, key=lambda pair: places[pair.question.id]), found.replies), 0.05)
    assert [cell.estimate.value for cell in found.precisions] == [seen.estimate.value for seen in by_hand]


@pytest.mark.parametrize("wrong", [{"half_width": 0.0}, {"half_width": 5.0}, {"every": 0}, {"level": 95}])
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        StopRule(**({"half_width": 0.05} | wrong))  # type: ignore[arg-type]
