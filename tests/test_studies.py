"""A study is a value; running it asks what is missing and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import unsway as us
from experiments import chua2024, smollm_bct
from unsway import biases, demo
from unsway.banks import Bank, bank
from unsway.biases import Cue, cue, from_definition
from unsway.data import Recipe
from unsway.errors import BadInput, BudgetReached, UnknownName
from unsway.models.session import session
from unsway.planning.prices import Price
from unsway.store import ReplyStore, dumps, loads
from unsway.studies import Study, Task, Trained, difference, estimate, load, plan, run
from unsway.studies.study import check
from unsway.testing import scripted
from unsway.training import Bct
from unsway.types import Reading, Settings

SMALL = Study(
    models=("scripted/one", "scripted/two"),
    biases=("post_hoc", "suggested_answer"),
    tasks=("procedural/arithmetic", Task("procedural/dates", n=4)),
    n=5,
)


def models(study: Study, **follow: float) -> dict[str, Any]:
    asked = [pair for part in study.parts() for pair in part.pairs()]
    return {
        name: scripted(asked, follow=follow, seed=i, name=name.partition("/")[2])
        for i, name in enumerate(dict.fromkeys(key.model for key in study.arms()))
    }


def n_replies(folder: Path) -> int:
    return len(ReplyStore(folder / "replies.jsonl"))


# ---------------------------------------------------------------- the value


def test_one_name_or_several() -> None:
    study = Study(models="a/b", biases="post_hoc", tasks="procedural/arithmetic")
    assert study.models == ("a/b",) and study.tasks == (Task("procedural/arithmetic"),)
    assert study == Study(models=("a/b",), biases=[biases.get("post_hoc")], tasks=[Task("procedural/arithmetic")])


def test_it_prints_as_the_expression_that_makes_it_and_comes_back_from_json() -> None:
    trained = Trained(Bct(learning_rate=1e-3), recipe=Recipe(n=8))
    mine = cue("A colleague thinks it is {answer}.", place="front")
    joined = SMALL.but(interventions=("none", trained)) | SMALL.but(biases=("suggested_answer/quoted", mine))
    classes = (Study, Task, Trained, Recipe, Settings, Bct, Cue)
    assert eval(repr(joined), {one.__name__: one for one in classes} | {"from_definition": from_definition}) == joined
    assert "learning_rate=0.001" in repr(joined) and "epochs" not in repr(joined)
    assert loads(Study, dumps(joined)) == joined
    assert len({joined, loads(Study, dumps(joined)), SMALL}) == 2


def test_cells_are_the_product_each_once() -> None:
    assert len(SMALL.cells()) == 2 * 2 * 2
    assert len((SMALL | SMALL).cells()) == 8
    assert len((SMALL | SMALL.but(biases=("distractor_fact",))).cells()) == 12
    seeds = SMALL.but(interventions=("none", Trained()), seeds=(0, 1, 2))
    assert len(list(seeds.arms())) == 2 * (1 + 3)


def test_parts_and_differences_are_expressions() -> None:
    part = SMALL.only(biases="post_hoc", models="scripted/one")
    assert part.biases == (biases.get("post_hoc"),) and part.models == ("scripted/one",)
    gone, new = difference(SMALL, part | SMALL.but(biases="distractor_fact"))
    assert {cell.bias.name for cell in gone} == {"post_hoc", "suggested_answer"}
    assert {cell.bias.name for cell in new} == {"distractor_fact"}
    with pytest.raises(BadInput, match="No part"):
        SMALL.only(biases="positional")
    with pytest.raises(BadInput, match="has no 'colour'"):
        SMALL.only(colour="red")


def test_biases_with_questions_of_their_own_are_put_to_those() -> None:
    study = SMALL.but(biases=("post_hoc", "spurious_hindsight"), models="scripted/one")
    assert study.tasks_of(study.biases[1]) == (Task("gambles", 9),)
    built = study.pairs()
    assert len(built.where(bias="post_hoc")) == 9 and len(built.where(bias="spurious_hindsight")) == 9
    assert not built.skipped
    few = SMALL.but(biases="positional", n=5000, models="scripted/one").pairs()
    assert 50 <= len(few) < 5000, "all comparisons that there are"


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"biases": "sugested_answer"}, UnknownName, "suggested_answer"),
        ({"tasks": "procedural/arithmetics"}, UnknownName, "procedural/arithmetic"),
        ({"elicit": "cott"}, UnknownName, "cot"),
        ({"biases": "distractor_argument"}, BadInput, "Study.arguments"),
    ],
)
def test_a_wrong_name_is_said_before_anything_is_loaded(
    change: dict[str, str], error: type[Exception], said: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=said):
        run(SMALL.but(**change), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_a_study() -> None:
    for change in ({"models": ()}, {"biases": ("post_hoc", "post_hoc")}, {"n": 0}, {"samples": 0}):
        with pytest.raises(BadInput):
            SMALL.but(**change)
    with pytest.raises(BadInput, match="share an arm"):
        plan(SMALL | SMALL.but(settings=Settings(max_tokens=5), biases="distractor_fact"))


@pytest.mark.parametrize(
    ("model", "how", "said"),
    [
        ("openai/gpt-4o", {"backend": "openai", "method": Bct(lora_rank=8)}, "takes no lora_rank"),
        ("anthropic/claude", {"backend": "openai"}, "cannot train 'anthropic/claude'"),
        ("unsway/smollm2-135m", {"backend": "openai"}, "cannot train 'unsway/smollm2-135m'"),
        ("openai/gpt-4o", {"backend": "local"}, "'openai/gpt-4o' is asked at a provider"),
        ("unsway/smollm2-135m", {"backend": "cloud"}, "'cloud'"),
        ("unsway/smollm2-135m", {"tasks": "arc_eazy"}, "arc_easy"),
    ],
)
def test_a_training_that_its_backend_cannot_do_is_refused_by_the_plan(
    model: str, how: dict[str, Any], said: str, tmp_path: Path
) -> None:
    def study() -> Study:
        return SMALL.but(models=model, interventions=("none", Trained(recipe=Recipe(n=8), **how)))

    for refused in (lambda: plan(study()), lambda: run(study(), tmp_path / "out")):
        with pytest.raises((BadInput, UnknownName), match=said):
            refused()
    assert not (tmp_path / "out").exists()


def test_two_trainings_of_one_name_are_refused_by_the_plan() -> None:
    one = SMALL.but(models="unsway/smollm2-135m", interventions=("none", Trained(recipe=Recipe(n=8))))
    other = one.but(interventions=Trained(recipe=Recipe(n=16)))
    with pytest.raises(BadInput, match=r"same name: unsway/smollm2-135m \+ bct\."):
        check(one | other)
    check(one | one.but(interventions=Trained(recipe=Recipe(n=16), name="bct on 16")))


def test_an_intervention_that_there_is_not_is_refused_by_the_plan() -> None:
    with pytest.raises(UnknownName, match="prompted:ignore"):
        plan(SMALL.but(interventions=("none", "prompted:ignor")))


def test_every_shipped_study_can_be_planned() -> None:
    for study in (demo.STUDY, smollm_bct.STUDY, chua2024.STUDY.but(arguments="some.jsonl")):
        check(study)


def test_the_tasks_of_the_paper_are_the_default() -> None:
    study = Study(models="a/b", biases=("post_hoc", cue("Surely {letter}.")))
    assert [task.source.name for task in study.tasks] == list(chua2024.TEST)


# ---------------------------------------------------------------- running it


def test_models_may_be_given_as_values(tmp_path: Path) -> None:
    asked = list(SMALL.pairs())
    first, second = (scripted(asked, follow={}, name=name) for name in ("one", "two"))
    found = run(SMALL.but(models=(first, session(second))), tmp_path)
    assert [arm.model for arm in found.arms] == ["scripted/one", "scripted/two"]
    assert load(tmp_path) == SMALL, "which keeps their names"
    assert run(SMALL, tmp_path, using={"scripted/one": first, "scripted/two": second}).cells == found.cells


def test_an_arm_that_a_new_study_has_no_place_for_is_not_dropped_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked = list(SMALL.pairs())
    us.measure(scripted(asked, follow={}, name="by hand"), us.PairSet(tuple(asked)), folder=tmp_path, label="by hand")
    run(SMALL, tmp_path, using=models(SMALL))
    (said,) = (text for text in caplog.messages if "no longer shown" in text)
    assert "this study has no arm by hand" in said and "replies stay in replies.jsonl" in said
    caplog.clear()
    run(
        SMALL | SMALL.but(biases="distractor_fact"), tmp_path, using=models(SMALL | SMALL.but(biases="distractor_fact"))
    )
    assert not [text for text in caplog.messages if "no longer shown" in text]


def test_a_study_runs_once_and_grows_by_what_is_new(tmp_path: Path) -> None:
    using = models(SMALL, post_hoc=0.6)
    found = run(SMALL, tmp_path, using=using)
    assert n_replies(tmp_path) == 2 * 9 * 3
    assert [arm.label for arm in found.arms] == ["one", "two"]
    assert {(cell.arm.name, cell.bias.partition("@")[0]) for cell in found.cells} == {
        (model, bias.name) for model in SMALL.models for bias in SMALL.biases
    }
    assert run(SMALL, tmp_path, using=using).cells == found.cells and n_replies(tmp_path) == 54
    grown = SMALL | SMALL.but(biases="distractor_fact", models="scripted/one")
    again = run(grown, tmp_path, using=models(grown, post_hoc=0.6))
    assert again.cells
    assert n_replies(tmp_path) == 54 + 9
    assert load(tmp_path) == grown
    assert estimate(grown, tmp_path).cells == again.cells


def test_plan_counts_what_will_be_asked_and_what_is_kept(tmp_path: Path) -> None:
    (before,) = plan(SMALL, tmp_path)
    assert before.n_prompts == 54 and before.n_unique == 27 and before.n_clean == 9
    run(SMALL.only(models="scripted/one"), tmp_path, using=models(SMALL))
    (after,) = plan(SMALL, tmp_path)
    assert after.n_prompts == 27


def test_a_limit_on_the_cost_holds_for_the_whole_study(tmp_path: Path) -> None:
    table = {"scripted/": Price("scripted/", 10.0, 100.0, "2026-01")}
    study = SMALL.but(settings=Settings(max_tokens=50))
    with pytest.raises(BudgetReached):
        run(study, tmp_path, using=models(study), max_cost=0.1, price_table=table)
    spent = sum(table["scripted/"].of(r.tokens_in, r.tokens_out) for r in ReplyStore(tmp_path / "replies.jsonl"))
    assert 0.05 < spent <= 0.1
    run(study, tmp_path, using=models(study), max_cost=5, price_table=table)
    assert n_replies(tmp_path) == 54


def test_a_new_wording_asks_its_own_bias_again_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = SMALL.only(models="scripted/one")
    before = run(study, tmp_path, using=models(study, post_hoc=0.5))
    kept = {reply.prompt_id for reply in ReplyStore(tmp_path / "replies.jsonl")}

    def reworded(name: str) -> Bank:
        found = bank(name)
        if name != "planted_answers":
            return found
        return Bank(name, found.version + 1, tuple(f"Well then: {entry}" for entry in found.entries))

    for module in ("post_hoc", "registry"):
        monkeypatch.setattr(f"unsway.biases.{module}.bank", reworded)
    after = run(study, tmp_path, using=models(study, post_hoc=0.5))
    new = [reply for reply in ReplyStore(tmp_path / "replies.jsonl") if reply.prompt_id not in kept]
    post_hoc = {pair.biased.id for pair in after.pairs if pair.bias.startswith("post_hoc@")}
    assert {reply.prompt_id for reply in new} == post_hoc and len(new) == 9
    assert set(before.biases) ^ set(after.biases) == {"post_hoc@1.1.1.1", "post_hoc@1.2.1.1"}


class Next:
    """A later reader, which reads the first option in everything."""

    versioned = "read@next"

    def __call__(self, *args: object) -> Reading:
        return Reading(0, "ok", "first")


def test_a_new_reader_asks_nothing_and_reads_everything_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = SMALL.only(models="scripted/one")
    before = run(study, tmp_path, using=models(study, post_hoc=0.5))
    monkeypatch.setattr("unsway.stats.outcomes.readers.get", lambda name: Next())
    after = run(study, tmp_path, using=models(study, post_hoc=0.5))
    assert n_replies(tmp_path) == 27
    assert {outcome.parser for outcome in before.outcomes} != {"read@next"} == {o.parser for o in after.outcomes}
    assert all(outcome.biased.choice == 0 for outcome in after.outcomes)


def test_plan_counts_trainings_once_and_what_a_provider_charges(tmp_path: Path) -> None:
    how: dict[str, Any] = {"recipe": Recipe(n=20, instruct=10), "backend": "openai"}
    hosted = SMALL.but(
        models="openai/gpt-4o-mini", interventions=("none", Trained(**how), Trained("control", **how)), seeds=(0, 1)
    )
    (found,) = plan(hosted | hosted.but(n=5), tmp_path)[:1]
    assert [one.n_replies for one in found.trainings] == [30, 30, 0, 0]  # the control has the rows of BCT
    assert not plan(hosted | hosted.but(n=5), tmp_path)[1].trainings  # each is planned once
    assert all(one.training_cost and one.trained_tokens > 0 for one in found.trainings)
    replies = sum(one.cost or 0.0 for one in found.models)
    assert found.cost == pytest.approx(replies + sum(one.cost or 0.0 for one in found.trainings))
    assert found.minutes > sum(one.minutes for one in found.models)
    rows = next(job.makes[0] for job in hosted.jobs() if job.kind == "rows")
    (tmp_path / rows).mkdir(parents=True)
    (tmp_path / rows / "examples.jsonl").write_text("")
    assert [one.n_replies for one in plan(hosted, tmp_path)[0].trainings] == [0, 30, 0, 0]
    (local,) = plan(SMALL.but(models="unsway/smollm2-135m", interventions=Trained(recipe=Recipe(n=8))))
    assert [one.training_cost for one in local.trainings] == [0.0] and local.cost == 0
