"""Decisions that wait for a number, and what to run next; nothing is asked."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.shell import unsway
from unsway.biases import cue
from unsway.errors import BadInput, UnknownName
from unsway.pairing import pairs
from unsway.planning.decisions import StatedChoice, StatedDecision
from unsway.planning.forecasts import Quantity
from unsway.planning.prices import Price
from unsway.reporting.forecasts import step_rows, waiting_rows
from unsway.studies import Study
from unsway.studies.beliefs import Beliefs
from unsway.studies.deciding import decided, note, open_decisions, waiting
from unsway.studies.forecasting import forecast
from unsway.studies.measurement import Measurement
from unsway.studies.measuring import measure
from unsway.studies.next_runs import next_steps
from unsway.studies.notebook import Notebook
from unsway.studies.running_costs import Costs
from unsway.studies.side_effects import side_effects
from unsway.testing import scripted, toy_questions

MODEL = "openai/gpt-4o-mini"
FREE = {"scripted/": Price("scripted/", 0.0, 0.0, "2026-11")}
HUNCH = f"brr(suggested_answer, {MODEL}) > .05"


def test_a_decision_is_written_as_people_write_it() -> None:
    made = StatedDecision.of("train?", HUNCH, worth="200/point", due="friday", today=date(2026, 11, 28))
    assert (made.threshold, made.worth, made.due, made.above) == (0.05, 200.0, "2026-12-04", True)
    assert made.condition == f"brr(suggested_answer, {MODEL}) > 0.05" and made.act(0.06) and not made.act(0.05)
    assert StatedDecision.of("train?", HUNCH, due="saturday", today=date(2026, 11, 28)).due == "2026-12-05"
    below = StatedDecision.of("ship?", "ratio(post_hoc, m + bct) < .5")
    assert below.act(0.4) and not below.act(0.6) and below.worth is None
    for given, message in (
        (("a", "brr > 2"), "no number"),
        (("a", HUNCH, "many"), "no worth"),
        (("a", "brr(a, b)"), "no condition"),
        (("a", HUNCH, "", "soon"), "no day"),
        (("a", HUNCH, "", "2026-11-27"), "has passed"),
        (("a", HUNCH.replace(".05", "5")), "per cent"),
        (("a", HUNCH.replace(".05", "a few")), "no condition"),
        (("a", HUNCH.replace(">", ">=")), "no condition"),
    ):
        with pytest.raises(BadInput, match=message):
            StatedDecision.of(
                given[0], given[1], worth="".join(given[2:3]), due="".join(given[3:4]), today=date(2026, 11, 28)
            )
    assert StatedDecision.of("a", HUNCH.replace(".05", "5%")) == StatedDecision.of("a", HUNCH)


def test_a_threshold_that_is_just_met_is_not_passed() -> None:
    assert 0.8 - 0.75 > 0.05  # ten points of twenty questions, as computers count
    for sign in "<>":
        assert not StatedDecision.of("a", f"brr(post_hoc, m) {sign} .05").act(0.8 - 0.75)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot change its time zone")
def test_a_day_is_that_of_where_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    days = []
    try:
        for zone in ("UTC+11", "UTC-14"):  # 25 hours apart: never the same day
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            today, tomorrow = (StatedDecision.of("a", HUNCH, due=word).due for word in ("today", "Tomorrow"))
            assert date.fromisoformat(today) + timedelta(1) == date.fromisoformat(tomorrow)
            days.append(today)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert days[0] < days[1]


def test_a_decision_on_a_number_that_cannot_come_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'post_hoc'"):
        note(tmp_path, "train?", when=f"brr(post_hok, {MODEL}) > .05")
    for kind in ("ratio(post_hoc", "effect(clean_accuracy"):
        with pytest.raises(BadInput, match="of no arm"):
            note(tmp_path, "train?", when=f"{kind}, {MODEL}) > .05")
    mine = cue("Someone from HR thinks it is {answer}.", name="from_hr")
    forecast(Study(models=MODEL, biases=mine, tasks="procedural/dates", n=4), tmp_path / "x")
    note(tmp_path, "train?", when=f"brr(from_hr, {MODEL}) > .05")  # a cue of one's own, once it was forecast


def test_what_waits_is_listed_by_day_over_all_notebooks(tmp_path: Path) -> None:
    for project, text, due in (("a", "some day?", ""), ("a", "soon?", "2999-01-02"), ("b", "late?", "2026-11-28")):
        made = StatedDecision.of(text, HUNCH, due=due, today=date(2026, 11, 28))
        Notebook(tmp_path / project).append(made)
    rows = waiting_rows(tmp_path)
    assert [row["decision"] for row in rows] == ["late?", "soon?", "some day?"]
    assert [row["due"] for row in rows] == ["2026-11-28 (passed)", "2999-01-02", "—"]


def test_the_beginning_of_several_ids_names_none(tmp_path: Path) -> None:
    made = [note(tmp_path, f"train {i}?", when=HUNCH) for i in range(17)]
    firsts = [one.id[0] for one in made if isinstance(one, StatedDecision)]
    twice = next(first for first in firsts if firsts.count(first) > 1)
    for use in (lambda key: decided(tmp_path, key, "go"), lambda key: next_steps(tmp_path, decide=key)):
        with pytest.raises(BadInput, match=rf"begins {firsts.count(twice)} open decisions: .*Write more"):
            use(twice)
        with pytest.raises(UnknownName):
            use("zzz")
    with pytest.raises(UnknownName):
        decided(tmp_path, "", "go")
    assert len(open_decisions(tmp_path)) == 17


def test_nothing_is_asked_for_what_comes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    note(tmp_path, "ship it?", when=f"brr(post_hoc, {MODEL} + bct) < .2", worth="50/point")
    assert next_steps(tmp_path).steps and waiting(tmp_path)


def test_another_threshold_is_another_decision(tmp_path: Path) -> None:
    one, other = note(tmp_path, "train?", when=HUNCH), note(tmp_path, "train?", when=HUNCH.replace(".05", ".15"))
    assert [found.id for found in open_decisions(tmp_path)] == [one.id, other.id]  # type: ignore[union-attr]
    decided(tmp_path, one.id[:6], "train", "BRR .21")  # type: ignore[union-attr]
    assert open_decisions(tmp_path) == (other,)
    with pytest.raises(UnknownName):
        decided(tmp_path, one.id, "train")  # type: ignore[union-attr]
    assert note(tmp_path, "train?", when=HUNCH) in open_decisions(tmp_path)  # asked again, it waits again
    with pytest.raises(BadInput, match="belongs to a decision"):
        note(tmp_path, "a remark", worth="200/point")


def test_what_is_worth_its_cost_comes_first(tmp_path: Path) -> None:
    note(tmp_path, "train?", when=HUNCH, worth="200/point")
    found = next_steps(tmp_path)
    best = found.steps[0]
    assert best.what.endswith(f"questions of suggested_answer on {MODEL}") and best.pays and best.chance > 0.05
    assert best.value > best.dollars > 0 and best.minutes > 0
    assert found.advice.startswith("Run ") and "chance to change 'train?'" in found.advice
    others = [step for step in found.steps if "distractor_fact" in step.what]
    assert others and others[0].per_dollar < best.per_dollar
    assert not next_steps(tmp_path, costs=Costs(budget=0.0)).steps


def test_one_cell_serves_several_decisions(tmp_path: Path) -> None:
    note(tmp_path, "train?", when=HUNCH, worth="200/point")
    alone = {step.what: step.value for step in next_steps(tmp_path).steps}
    note(tmp_path, "warn users?", when=HUNCH, worth="200/point")
    both = {step.what: step.value for step in next_steps(tmp_path).steps}
    assert both == {what: pytest.approx(2 * value) for what, value in alone.items()}
    far = note(tmp_path, "stop?", when=HUNCH.replace(".05", ".9"), worth="2000/point")  # alone best at another size
    (own, *_), found = next_steps(tmp_path, decide=far.id).steps, next_steps(tmp_path)  # type: ignore[union-attr]
    assert own.what not in both and {step.what for step in found.steps} == set(both), (
        "the size is chosen for all of them"
    )
    best = found.steps[0]
    assert best.value == pytest.approx(both[best.what]) and repr("train?") in found.advice
    less = next_steps(tmp_path, costs=Costs(budget=best.dollars * 0.99)).steps[0]
    assert less.n < best.n and less.pays and "suggested_answer" in less.what, "a smaller size within the budget"


def test_values_in_dollars_stand_before_those_in_rates(tmp_path: Path) -> None:
    note(tmp_path, "train?", when=HUNCH, worth="0.00005/point")
    alone = next_steps(tmp_path)
    note(tmp_path, "ship it?", when=f"brr(are_you_sure, {MODEL}) > .05")
    both = next_steps(tmp_path)
    priced = [step.decision == both.decisions[0].id for step in both.steps]
    assert priced == sorted(priced, reverse=True) and {*priced} == {True, False}
    worse, better = both.steps[priced.index(False) - 1], both.steps[priced.index(False)]
    assert worse.per_dollar < better.per_dollar, "in one list they would be the other way round"
    assert "values are rates, not dollars" in both.advice and "not dollars" not in alone.advice


def test_a_decision_without_a_worth_adds_no_dollars_and_takes_none_away(tmp_path: Path) -> None:
    note(tmp_path, "warn users?", when=HUNCH)
    note(tmp_path, "train?", when=HUNCH, worth="0.00005/point")
    found = next_steps(tmp_path, costs=Costs(prices={MODEL: Price(MODEL, 0.001, 0.001, "2026-11")}))
    (best, *_), (row, *_) = found.steps, step_rows(found, 1)
    assert 0 < best.value < 0.01 and best.pays and best.decision == found.decisions[1].id
    assert row["value"] == "under $0.01" == f"under ${row['US$'].removeprefix('under ')}"
    assert "chance to change 'train?', under $0.01, " in found.advice


def test_nothing_is_run_where_nothing_can_change_the_mind(tmp_path: Path) -> None:
    note(tmp_path, "train?", when=HUNCH.replace(".05", ".95"))
    found = next_steps(tmp_path)
    assert found.advice.startswith("Run nothing; decide now: 'train?': no (0%")
    assert not [step for step in found.steps if step.pays]
    assert next_steps(tmp_path / "empty").advice.startswith("No decision is stated")


def test_a_training_is_weighed_against_its_base_and_its_proxy(tmp_path: Path) -> None:
    note(tmp_path, "ship it?", when=f"brr(post_hoc, {MODEL} + bct) < .2", worth="50/point")
    found = {
        step.what.partition(" ")[0] if "train" not in step.what else "train": step
        for step in next_steps(tmp_path).steps
    }
    names = [step.what for step in next_steps(tmp_path).steps]
    assert len(names) == 3 and any("few shots for bct" in name for name in names) and "train" in found
    by_value = sorted(next_steps(tmp_path).steps, key=lambda step: step.value)
    assert by_value[-1].what.startswith("train bct") and by_value[-1].dollars > 40
    assert [step for step in by_value if step.se > 0]  # the base's value comes from draws


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a base and a training of two seeds that is less swayed and less able; scripts write every reply."""
    project = tmp_path_factory.mktemp("project")
    asked, using = pairs(toy_questions(60), ["post_hoc"]), {}
    for label, follow, accuracy in (("base", 0.6, 0.95), ("bct", 0.1, 0.6), ("bct/1", 0.2, 0.6)):
        using[label] = scripted(asked, {"post_hoc": follow}, accuracy=accuracy, name=label.replace("/", "-"))
        role, training = ("base", "") if label == "base" else ("trained", "bct")
        how = Measurement(role=role, of="scripted/base", training=training)  # type: ignore[arg-type]
        measure(using[label], asked, how=how, folder=project / "kept", label=label)
    side_effects(project / "kept", ["clean_accuracy/options"], using=using)
    return project


def test_what_an_arm_printed_is_known_and_a_seed_is_worth_more_than_more_questions(
    tmp_path: Path, trained: Path
) -> None:
    name = "scripted/base + bct"
    number = Quantity.parse(f"brr(post_hoc, {name})")
    beliefs = Beliefs(trained)
    printed = [one.value for one in beliefs.printed(number)]
    known_D = beliefs.of(number)[:, 0]
    assert len(printed) == 2 and abs(known_D.mean() - sum(printed) / 2) < 0.06 and known_D.std() < 0.07
    unknown = Beliefs(tmp_path / "nothing").of(Quantity.parse(f"brr(post_hoc, {MODEL} + bct)"))[:, 0]
    assert unknown.std() > 2 * known_D.std()
    last_D = beliefs.trained(number, known_D)
    assert 0.3 < np.corrcoef(known_D, last_D)[0, 1] < 0.95 and abs(last_D.mean() - printed[1]) < 0.06
    made = note(trained, "ship it?", when=f"brr(post_hoc, {name}) < .14", worth="500/point")
    assert isinstance(made, StatedDecision)
    found = {
        step.what: step for step in next_steps(trained, decide=made.id, costs=Costs(training=0.5, prices=FREE)).steps
    }
    more = next(step for what, step in found.items() if what.endswith(f"post_hoc more on {name}"))
    seed = next(step for what, step in found.items() if "with another seed" in what)
    assert seed.value > more.value > 0 and seed.dollars >= 0.5
    assert not [what for what in found if what.startswith("train bct") and "seed" not in what]


def test_a_measured_arm_is_believed_however_far_from_what_was_expected(trained: Path) -> None:
    """Nothing published comes near; from draws of that alone, nothing near the number was left, and no doubt either."""
    beliefs = Beliefs(trained)
    brr, ratio = (Quantity.parse(f"{kind}(post_hoc, scripted/base + bct)") for kind in ("brr", "ratio"))
    alone, beside = beliefs.of(ratio)[:, 0], beliefs.of(ratio, brr)[:, 0]
    assert np.array_equal(alone, beside), "its printed numbers count once, whatever is looked at beside it"
    rates = beliefs._rates
    for printed in (-0.1, 0.98):
        beliefs._rates = tuple(
            (arm, replace(row, value=printed, variance=1e-4) if arm.training else row) for arm, row in rates
        )
        known = beliefs.of(brr)[:, 0]
        assert abs(known.mean() - printed) < 0.02 and 0.03 < known.std() < 0.06  # two trainings, each 6 points off


def test_the_best_of_several_trainings_is_a_choice(tmp_path: Path) -> None:
    arms = [f"brr(post_hoc, {MODEL} + {one})" for one in ("bct", "act", "prompted:ignore")]
    made = note(tmp_path, "which?", best=arms, worth="200/point")
    assert isinstance(made, StatedChoice) and open_decisions(tmp_path) == (made,)
    (stands,) = waiting(tmp_path)
    assert stands.stands in made.actions and 0.3 < stands.doubt < 0.9
    steps = {step.what: step for step in next_steps(tmp_path).steps}
    for change in ("bct", "act"):
        train = next(step for what, step in steps.items() if what.startswith(f"train {change} on {MODEL}"))
        shots = next(step for what, step in steps.items() if what.endswith(f"with a few shots for {change}"))
        assert train.value > shots.value > 0 and train.dollars > 40 > shots.dollars and train.pays
    prompted = next(step for what, step in steps.items() if what.endswith("with prompted:ignore"))
    assert prompted.dollars < 5 and prompted.chance > 0.05  # prompts are asked, nothing is trained
    assert len([what for what in steps if what.endswith("as it is")]) == 1  # one base, however many arms it has
    for best, message in ((arms[:1], "two rates or more"), ([arms[0], "minutes"], "two rates or more")):
        with pytest.raises(BadInput, match=message):
            note(tmp_path, "which?", best=best)
    with pytest.raises(BadInput, match="one condition"):
        note(tmp_path, "which?", when=HUNCH, best=arms)


def test_a_side_effect_may_be_what_a_decision_hangs_on(tmp_path: Path, trained: Path) -> None:
    with pytest.raises(UnknownName, match="clean_accuracy"):
        note(tmp_path, "safe?", when=f"effect(clean_acuracy, {MODEL} + bct) > -.02")
    note(tmp_path, "safe?", when=f"effect(clean_accuracy, {MODEL} + bct) > -.02", worth="100/point")
    (step,) = next_steps(tmp_path).steps
    assert step.what.startswith(f"train bct on {MODEL}, ") and "clean_accuracy" in step.what and step.value > 0
    effect = Quantity.parse("effect(clean_accuracy, scripted/base + bct)")
    known_D = Beliefs(trained).of(effect)[:, 0]
    assert known_D.mean() < -0.1 and len(Beliefs(trained).printed(effect)) == 2
    made = note(trained, "as able?", when=f"{effect} > -.3", worth="500/point")
    assert isinstance(made, StatedDecision)
    found = [step.what for step in next_steps(trained, decide=made.id, costs=Costs(prices=FREE)).steps]
    assert (
        len(found) == 2 and any("more on" in what for what in found) and any("another seed" in what for what in found)
    )


def test_value_may_be_compared_with_hours(tmp_path: Path) -> None:
    note(tmp_path, "ship it?", when=f"brr(post_hoc, {MODEL} + bct) < .2", worth="50/point")
    by_hour = next_steps(tmp_path, per="hour").steps
    assert [step.per_hour for step in by_hour] == sorted((step.per_hour for step in by_hour), reverse=True)
    assert by_hour != next_steps(tmp_path).steps and not by_hour[0].what.startswith("train")


def test_the_command_line_does_the_same(tmp_path: Path) -> None:
    made = unsway("note", "train?", "--if", HUNCH, "--worth", "200/point", "--due", "friday", "--project", tmp_path)
    assert made.exit_code == 0 and made.output.startswith(open_decisions(tmp_path)[0].id)
    assert unsway("note", "a thought", "--project", tmp_path).output == "Noted.\n"
    shown = unsway("next", "--project", tmp_path, "--top", 2)
    assert shown.exit_code == 0 and "changes it" in shown.output and "Run " in shown.output
    body = json.loads(unsway("next", "--project", tmp_path, "--json").stdout)
    assert body["steps"][0]["pays"] is True and body["decisions"][0]["text"] == "train?"
    assert "due" in made.output and "worth $200 a point" in made.output
    assert json.loads(unsway("note", "another", "--project", tmp_path, "--json").stdout) == {"text": "another"}
    assert json.loads(unsway("week", "--project", tmp_path, "--json").stdout)["Notes"] == ["a thought", "another"]
    key = open_decisions(tmp_path)[0].id
    assert unsway("decided", key, "train", "BRR .21 [.16, .26]", "--project", tmp_path).output == f"{key}: train.\n"
    assert [row.kind for row in Notebook(tmp_path).rows()] == ["decision", "note", "note", "decided"]
    assert unsway("next", "--project", tmp_path, "--decide", key).exit_code == 1


def test_an_unknown_price_is_never_taken_for_nothing(tmp_path: Path) -> None:
    note(tmp_path, "train?", when="brr(post_hoc, nobody/knows) > .05")
    with pytest.raises(BadInput, match="price of 'nobody/knows' is not known"):
        next_steps(tmp_path)


def test_a_mistyped_model_is_noted_with_a_warning_and_left_out_of_what_to_run_next(tmp_path: Path) -> None:
    questions = toy_questions(40)
    made = pairs(questions, ["suggested_answer"])
    measure(scripted(made, {"suggested_answer": 0.3}), made, folder=tmp_path / "a")
    prices = tmp_path / "prices.txt"
    prices.write_text("scripted/model 0 0 2026-11\n")
    flags = ["--prices", prices, "--project", tmp_path]
    right = unsway("note", "a", "--if", "brr(suggested_answer, scripted/model) > .25", "--project", tmp_path)
    assert right.exit_code == 0 and "No study here" not in right.output
    wrong = unsway("note", "b", "--if", "brr(post_hoc, scripted/modle) > .2", "--project", tmp_path)
    assert wrong.exit_code == 0 and len(open_decisions(tmp_path)) == 2
    said = "No study here has a model of the name 'scripted/modle'; known: scripted/model."
    assert said in " ".join(wrong.output.split())
    shown = unsway("next", *flags)
    key = next(one.id for one in open_decisions(tmp_path) if one.text == "b")
    assert shown.exit_code == 0 and f"Left out: 'b' ({key}). {said}" in shown.output
    assert "on scripted/model" in shown.output and "on scripted/modle" not in shown.output
    assert json.loads(unsway("next", *flags, "--json").stdout)["left_out"] == [f"Left out: 'b' ({key}). {said}"]
    alone = unsway("next", *flags, "--decide", key)
    assert alone.exit_code == 1 and said in " ".join(alone.output.split())
    assert unsway("week", "--project", tmp_path).exit_code == 0


def test_a_cell_of_a_model_without_a_price_is_left_out_of_what_could_be_learnt(tmp_path: Path) -> None:
    made = pairs(toy_questions(40), ["suggested_answer"])
    for name in ("dear", "free"):
        measure(scripted(made, {"suggested_answer": 0.3}, name=name), made, folder=tmp_path / name)
    costs = Costs(prices={"scripted/free": Price("scripted/free", 0.0, 0.0, "2026-11")})
    found = next_steps(tmp_path, costs=costs)
    assert [step.what.split(" of ")[1] for step in found.steps] == ["suggested_answer on scripted/free"]
    (line,) = found.left_out
    assert line.startswith("Left out: suggested_answer on scripted/dear. The price of 'scripted/dear' is not known.")
