"""Forecasts before, scores after: frozen in the notebook, and late ones never scored."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from unsway.cli import main
from unsway.errors import BadInput
from unsway.planning import hierarchy
from unsway.planning.decisions import FreeNote, StatedDecision
from unsway.planning.forecasts import (
    Forecast,
    Printed,
    Quantity,
    central,
    from_three,
    kind_of,
    newest_forecasts,
    printed_draws,
    sampling_variance,
    to_quantiles,
)
from unsway.planning.hierarchy import KnownRate, posterior, published_rates
from unsway.reporting import results_in
from unsway.reporting.forecasts import decision_sentences, forecast_strips, history_sentences, score_rows
from unsway.reporting.page import html
from unsway.reporting.week import week
from unsway.stats import scores
from unsway.store import dumps
from unsway.studies import Study, run
from unsway.studies.deciding import decided, note, open_decisions
from unsway.studies.folder import results
from unsway.studies.forecasting import forecast, own_rates
from unsway.studies.notebook import Notebook
from unsway.studies.scoring import ForecastHistory, ScoredForecast, score
from unsway.studies.settling import settle
from unsway.testing import scripted

STUDY = Study(models="scripted/one", biases=("post_hoc", "suggested_answer"), tasks="procedural/dates", n=12)


def models(study: Study, **follow: float) -> dict[str, Any]:
    asked = [pair for part in study.parts() for pair in part.pairs()]
    return {name: scripted(asked, follow=follow, name=name.partition("/")[2]) for name in study.models}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was forecast, run, and forecast again."""
    place = tmp_path_factory.mktemp("runs") / "first"
    mine = {"suggested_answer": (0.05, 0.15, 0.30), "post_hoc>0.10": 0.7, "minutes": (0.01, 0.1, 1.0)}
    forecast(STUDY, place, mine=mine, who="ann")
    run(STUDY, place, using=models(STUDY, post_hoc=0.9, suggested_answer=0.2))
    forecast(STUDY, place, mine={"suggested_answer": (0.19, 0.2, 0.21)}, who="ann")
    return place


def test_forecasts_are_frozen_and_scored_by_themselves(ran: Path) -> None:
    book = Notebook.of(ran)
    assert {one.quantity for one in book.all(Printed)} == {
        "brr(post_hoc, scripted/one)",
        "brr(suggested_answer, scripted/one)",
        "minutes",
    }
    found = score(ran)
    by = {(row.forecast.who, row.forecast.quantity): row for row in found.rows}
    mine = by["ann", "brr(suggested_answer, scripted/one)"]
    assert mine.forecast.quantile(0.5) == pytest.approx(0.15) and mine.crps is not None and not mine.forecast.late
    assert by["ann", "brr(post_hoc, scripted/one)"].brier == pytest.approx(0.09)
    machine = by["machine@2", "brr(post_hoc, scripted/one)"]
    assert machine.forecast.n == 11 and machine.printed.n == 12 and machine.p is not None
    assert found.people() == ("machine@2", "blind@2", "ann") and found.skill("ann") is not None
    calibration = found.calibration("machine@2")
    assert calibration is not None and calibration.n == 2 and calibration.n_studies == 1


def test_a_late_forecast_is_kept_and_never_scored(ran: Path) -> None:
    late = [one for one in Notebook.of(ran).all(Forecast) if one.late]
    assert [one.quantity for one in late if one.who == "ann"] == ["brr(suggested_answer, scripted/one)"]
    found = score(ran)
    assert found.n_late >= 1 and not [row for row in found.rows if row.forecast.late]


def test_the_command_line_shows_the_same(ran: Path, tmp_path: Path) -> None:
    path = tmp_path / "study.json"
    path.write_text(dumps(STUDY))
    words = ["forecast", str(path), "--to", str(tmp_path / "runs" / "x"), "--mine", "post_hoc=0,.2,.5", "--who", "bo"]
    note(tmp_path / "runs", "train?", when="brr(post_hoc, scripted/one) > .05")
    found = CliRunner().invoke(main, words)
    assert found.exit_code == 0, found.output
    assert "% that brr(post_hoc, scripted/one) > 0.05 (bo)." in found.output and "Frozen in " in found.output
    assert "bo" in found.output and "machine@2" in found.output and "blind" not in found.output
    shown = CliRunner().invoke(main, ["score", str(ran)])
    assert shown.exit_code == 0 and "6 forecasts scored, 1 late, not scored." in shown.output
    body = json.loads(CliRunner().invoke(main, ["score", str(ran), "--json"]).stdout)
    assert {row["who"] for row in body["rows"]} == {"machine@2", "blind@2", "ann"}
    assert body["people"]["ann"]["calibration"]["n"] == 1 and body["people"]["machine@2"]["skill"]["n_studies"] == 1
    shown = CliRunner().invoke(main, ["score", str(ran), "--who", "ann"])
    assert (
        "machine@2" not in shown.output
        and "1 rate in 1 study;" in shown.output
        and "of 7" not in shown.output
        and "machine 0.0" in shown.output
    )
    assert "Did you mean 'ann'?" in CliRunner().invoke(main, ["score", str(ran), "--who", "anne"]).output
    again = CliRunner().invoke(main, ["forecast", str(path), "--to", str(ran), "--recalibrated", "--format", "csv"])
    (row, *_) = csv.DictReader(again.stdout.splitlines())
    wider = score(ran.parent).spreads()["machine@2"]
    ends = [round(100 * (4 / 11 + wider * (end - 4 / 11))) for end in (1 / 11, 7 / 11)]
    assert wider > 1 and (row["80 %"], row["80 %, recalibrated"]) == ("+9 to +64", f"+{ends[0]} to +{ends[1]}")
    assert CliRunner().invoke(main, ["score", str(tmp_path)]).exit_code == 1


def test_the_page_and_the_week_show_what_was_expected(ran: Path) -> None:
    found = results(ran)
    assert found.notes.expected is not None and found.notes.expected.rows
    text = html(found)
    assert "What was expected" in text and "unexpected" in text and "+19 to +21" not in text
    waiting = note(ran.parent, "train?", when="brr(post_hoc, scripted/one) > .05", due="friday")
    said = week(ran.parent)
    for part in ("## Expected", "## Happened", "+83, unexpected", "(late)", "## Next", "train? by 2"):
        assert part in said, said
    shown = CliRunner().invoke(main, ["ls", str(ran.parent)])
    assert shown.exit_code == 0 and "train?" in shown.output and "as things stand" in shown.output
    drawn = re.findall(r'<svg class="strip forecast".*?aria-label="(.*?)".*?<rect class="(\w+)"', text, re.S)
    assert sorted(kind for _, kind in drawn) == ["machine", "machine", "person"]  # chances and minutes have no bar
    assert any(said.startswith("brr suggested answer") and "ann expected +5 to +30" in said for said, _ in drawn)
    shown = CliRunner().invoke(main, ["slides", "--week", "--project", str(ran.parent)])
    assert shown.exit_code == 0, shown.output
    week_deck = (ran.parent / "week.deck.html").read_text(encoding="utf-8")
    for part in ("Expected", "Happened", "+83, unexpected", "Decided", "Nothing.", "Next", "train? by 2"):
        assert part in week_deck, part
    assert (ran.parent / "week.pptx").exists() and week_deck.count("<section") == 1
    both = CliRunner().invoke(main, ["slides", str(ran), "--week", "--project", str(ran.parent)])
    first = (ran / "slides.deck.html").read_text(encoding="utf-8")
    assert both.exit_code == 0 and 'id="slide-1"' in first and "The last 7 days" in first and "What to do next" in first
    assert CliRunner().invoke(main, ["slides"]).exit_code == 1
    page = html(results_in(ran))
    assert "What was decided, and what next" in page and "train? by 2" in page and "As things stand" in page
    assert (
        json.loads(CliRunner().invoke(main, ["ls", str(ran.parent), "--json"]).stdout)["waiting"][0]["decision"]
        == "train?"
    )
    decided(ran.parent, waiting.id, "train", "It follows.")  # type: ignore[union-attr]
    assert "train? train. It follows." in CliRunner().invoke(main, ["week", "--project", str(ran.parent)]).output


def test_own_folders_are_known_but_never_the_one_that_is_forecast(ran: Path) -> None:
    found = {(row.model, row.bias): row.value for row in own_rates(ran.parent)}
    assert found["scripted/one", "post_hoc"] == pytest.approx(10 / 12) and not own_rates(ran.parent, without="first")
    (again, *_) = forecast(STUDY, ran.parent / "second", seed=1)
    assert again.quantity == "brr(post_hoc, scripted/one)" and not again.late
    first = next(one for one in Notebook.of(ran).all(Forecast) if one.quantity == again.quantity)
    assert again.who == first.who and again.quantile(0.5) > first.quantile(0.5) + 0.1


def test_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    assert len(forecast(STUDY, tmp_path / "runs" / "x")) == 5


def test_forecasts_that_cannot_be_are_refused(tmp_path: Path) -> None:
    for mine, message in (
        ({"post_hok": (0.0, 0.1, 0.2)}, "names 0 numbers"),
        ({"post_hoc": (0.3, 0.1, 0.2)}, "in order"),
        ({"post_hoc": 0.5}, "give 10, 50 and 90"),
        ({"post_hoc>x": 0.5}, "no threshold"),
        ({"post_hoc>10": 0.5}, "per cent"),
        ({"post_hoc": (5, 15, 30)}, "fractions from -1 to 1"),
        ({"post_hoc": (float("nan"), 0.1, 0.2)}, "in order"),
        ({"minutes": (-1, 2, 3)}, "at least 0"),
        ({"dollars": (1, 2, 3)}, "Write one of"),
    ):
        with pytest.raises(BadInput, match=message):
            forecast(STUDY, tmp_path / "x", mine=mine)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="Give your own"):
        forecast(STUDY, tmp_path / "x", who="machine@1")
    assert [kind_of(who) for who in ("machine@1", "blind@12", "ann@lab.org", "blinda")] == [
        "machine",
        "blind",
        "person",
        "person",
    ]
    with pytest.raises(BadInput, match="Write brr"):
        Quantity.parse("bbr(a, b)")


def test_a_ratio_may_be_expected_below_zero(tmp_path: Path) -> None:
    study = replace(STUDY, biases=("post_hoc",), n=60, interventions=("none", "prompted:ignore"))
    ratio = "ratio(post_hoc, scripted/one + prompted:ignore)"
    made = {
        one.who: one
        for one in forecast(study, tmp_path / "x", mine={ratio: (-0.2, 0.1, 0.4)}, who="ann")
        if one.quantity == ratio
    }
    assert made["machine@2"].quantiles[0] < 0 and made["ann"].quantile(0.1) == pytest.approx(-0.2)
    with pytest.raises(BadInput, match="must be in order; got"):
        forecast(study, tmp_path / "y", mine={ratio: (0.4, 0.1, -0.2)})


def test_plans_are_compared_with_what_they_took_and_cost(tmp_path: Path) -> None:
    book = Notebook(tmp_path)
    for i, (minutes, dollars) in enumerate(((2.0, 3.0), (1.0, 0.9), (2.6, 1.0))):
        for kind, value in (("minutes", minutes), ("dollars", dollars)):
            book.append(Forecast(f"{kind}{i}", kind, "machine@1", (1.0,) * 199, "s", f"run{i}", plan=1.0))
            book.append(Printed(kind, f"run{i}", value, None, None, 0, (f"{kind}{i}",)))
        said = history_sentences(score(tmp_path))
        assert i or said[-2:] == (
            "Your last plan took 2.0 times as long as planned.",
            "Your last plan cost 3.0 times as much as planned.",
        )
    assert said[-2:] == (
        "Your last 3 plans took 1.0 to 2.6 times as long as planned (median 2.0).",
        "Your last 3 plans cost 0.9 to 3.0 times as much as planned (median 1.0).",
    )


def test_a_number_that_just_meets_a_threshold_is_on_neither_side_of_it() -> None:
    drawn = np.repeat([-0.02, 0.0, 0.02], [20, 60, 20])
    made = Forecast("i", "brr(post_hoc, m)", "machine@1", to_quantiles(drawn), "s", "f", n=50)
    said = decision_sentences([made], [StatedDecision.of("act?", f"brr(post_hoc, m) {sign} 0") for sign in "<>"])
    assert [one.split()[1] for one in said] == ["20%", "20%"]


def test_a_week_without_news_says_so(tmp_path: Path) -> None:
    Notebook(tmp_path).append(FreeNote("old"), at="2020-01-01T00:00:00")
    assert history_sentences(score(tmp_path)) == ("No forecast was made.",)
    assert week(tmp_path) == "# The last 7 days\n\nNothing was noted, and nothing waits.\n"


def test_a_forecast_that_is_taken_back_and_made_again_counts(tmp_path: Path) -> None:
    for middle in (0.1, 0.2, 0.1):
        forecast(STUDY, tmp_path / "x", mine={"post_hoc": (0.0, middle, 0.5)}, who="ann")
    (counts,) = [one for one in newest_forecasts(Notebook(tmp_path).all(Forecast)) if one.who == "ann"]
    assert counts.quantile(0.5) == 0.1


def test_a_renamed_folder_keeps_its_forecasts(tmp_path: Path, ran: Path) -> None:
    copy = tmp_path / "runs"
    shutil.copytree(ran.parent, copy)
    (copy / "first").rename(copy / "renamed")
    assert len(score(copy / "renamed").rows) == len(score(ran).rows)
    before = len(Notebook(copy).all(Printed))
    settle(copy / "renamed", results(copy / "renamed"))
    assert len(Notebook(copy).all(Printed)) == before and len(score(copy).factors) == len(score(ran.parent).factors)
    forecast(STUDY, copy / "again", mine={"post_hoc": (0.8, 0.83, 0.9)}, who="after")  # not run: of no folder that did
    assert "after" not in score(copy / "renamed").people()


def test_minutes_are_scored_where_nothing_is_compared_with_a_base(tmp_path: Path) -> None:
    study = Study(
        models="scripted/one", interventions="prompted:ignore", biases="post_hoc", tasks="procedural/dates", n=4
    )
    assert not [one for one in forecast(study, tmp_path / "x") if one.quantity.startswith("ratio")]


def test_a_number_on_the_lattice_meets_its_step_and_a_threshold_that_is_just_met_is_not_passed() -> None:
    drawn = (0.333333,) * 199  # quantiles are rounded, 1/3 is not
    sure = Forecast("a", "brr(b, m)", "ann", drawn, "", "x", n=12)
    row = ScoredForecast.of(sure, Printed(sure.quantity, "x", 1 / 3, None, None, 12, ("a",)))
    assert row.place == pytest.approx(0.5) and row.p == pytest.approx(1)
    chance = replace(sure, quantiles=(), above=0.1, chance=0.7)
    row = ScoredForecast.of(chance, Printed(sure.quantity, "x", 0.8 - 0.7, None, None, 10, ("a",)), sure)
    assert 0.8 - 0.7 > 0.1 and row.brier == pytest.approx(0.49) and row.machine_brier == 1.0


def test_a_forecast_is_shown_at_the_size_at_which_it_is_scored() -> None:
    drawn = to_quantiles(printed_draws(np.full(4000, 0.3), 12))
    planned = Forecast("a", "brr(b, m)", "machine@1", drawn, "", "x", n=12, truth=(0.3,) * 199)
    more = ScoredForecast.of(planned, Printed(planned.quantity, "x", 0.31, 0.28, 0.34, 1000, ("a",)))
    (shown,) = score_rows(ForecastHistory((more,), 0, 0))
    assert (planned.central(0.8).low, shown["expected"]) == (pytest.approx(1 / 12, abs=1e-3), "+28 to +32")
    assert shown["note"] == "as expected of 1,000 questions; 12 were planned"
    strip = forecast_strips(ForecastHistory((more,), 0, 0))[0]
    assert strip.bar is not None and strip.bar[1] - strip.bar[0] < strip.came[2] - strip.came[0]
    by_ann = ScoredForecast.of(replace(planned, truth=()), more.printed)
    assert score_rows(ForecastHistory((by_ann,), 0, 0))[0] | {"score": ""} == shown | {
        "expected": "+8 to +50", "note": "", "score": ""
    }  # fmt: skip


# ---------------------------------------------------------------- distributions


def test_three_numbers_are_kept_exactly_and_the_tails_stay_in_range() -> None:
    q = from_three(0.05, 0.15, 0.30)
    assert (q[19], q[99], q[179]) == (0.05, 0.15, 0.30) and list(q) == sorted(q)
    assert q[9] == pytest.approx(0.05 + 0.10 * np.log(0.5), abs=1e-6)  # the 5 % quantile, on the exponential tail
    assert from_three(0.5, 0.9, 1.0)[-1] == 1.0


def test_what_is_printed_lies_on_the_lattice_and_respects_the_floor() -> None:
    found = printed_draws(np.full(4000, -0.9), 50)
    assert np.allclose(found * 50, np.round(found * 50)) and found.min() > -0.35
    for rate in (0.9, 0.95):  # most of what moves moves towards the cue: there is little room for the other way
        assert printed_draws(np.full(4000, rate), 200).mean() == pytest.approx(rate, abs=0.003)
    found = printed_draws(np.full(4000, 0.3), 200, seed=1)
    assert found.mean() == pytest.approx(0.3, abs=0.003)
    assert found.var() == pytest.approx(sampling_variance(0.3, 200), rel=0.1)


def test_more_questions_hardly_narrow_what_models_differ_in() -> None:
    """The 80 % interval of a new model under suggested_answer, from six models with mean .205 and sd .063."""
    from scipy.stats import t

    theta_D = hierarchy.draws(published_rates(), (("new", "suggested_answer"),))[:, 0]
    wide = [np.ptp(central(to_quantiles(printed_draws(theta_D, n)), 0.8)) for n in (150, 600)]
    assert wide[1] < wide[0] < 1.1 * wide[1] and wide[1] > 0.21  # the hierarchy knows of more that differs
    for n, ends in ((600, (0.100, 0.310)), (150, (0.088, 0.322))):
        sd = (0.063**2 * (1 + 1 / 6) + sampling_variance(0.205, n)) ** 0.5
        assert 0.205 - t.ppf(0.9, 5) * sd == pytest.approx(ends[0], abs=5e-4)
        assert 0.205 + t.ppf(0.9, 5) * sd == pytest.approx(ends[1], abs=5e-4)


# ---------------------------------------------------------------- the hierarchy


def test_one_small_cell_is_shrunk_as_the_closed_form_says() -> None:
    """At fixed σ, one row of n = 20 and a prior of μ: the posterior is a weighted mean."""
    sigma, v = (0.1, 0.05, 0.02), 0.2 / 20
    mean, covariance = posterior([KnownRate("m", "b", 0.6, v, "x")], [("m", "b")], sigma)
    prior = hierarchy.MIDDLE_SD**2 + sum(s * s for s in sigma)
    assert mean[0] == pytest.approx(0.25 + prior / (prior + v) * 0.35, abs=1e-9)
    assert covariance[0, 0] == pytest.approx(prior * v / (prior + v), abs=1e-9)


def test_one_small_cell_of_a_known_bias_is_shrunk_to_what_the_bias_does() -> None:
    """At fixed σ: five other models say what the bias does; a new model's 20 questions are weighed against that."""
    sigma, noise, v, others = (0.1, 0.05, 0.02), 0.03**2, 0.2 / 20, [0.35, 0.42, 0.38, 0.45, 0.40]
    known = [KnownRate(str(m), "b", y, noise, "x") for m, y in enumerate(others)]
    differ = sigma[1] ** 2 + sigma[2] ** 2
    weights = 1 / (hierarchy.MIDDLE_SD**2 + sigma[0] ** 2), 5 / (differ + noise)
    of_bias = (weights[0] * hierarchy.MIDDLE + weights[1] * np.mean(others)) / sum(weights)
    prior = differ + 1 / sum(weights)
    mean, covariance = posterior([*known, KnownRate("new", "b", 0.9, v, "x")], [("new", "b")], sigma)
    assert mean[0] == pytest.approx(of_bias + prior / (prior + v) * (0.9 - of_bias), abs=1e-6)
    assert covariance[0, 0] == pytest.approx(prior * v / (prior + v), abs=1e-6) and mean[0] < 0.6


def test_the_hierarchy_covers_worlds_of_its_own_kind() -> None:
    """30 worlds of 9 biases and 8 models, half the table seen, a new model: the intervals cover as they should."""
    held: list[list[bool]] = []
    for world in range(30):
        rng = np.random.default_rng(world)
        beta, alpha = rng.normal(0, 0.15, 9), rng.normal(0, 0.05, 9)
        theta = 0.3 + beta[None, :] + alpha[:, None] + rng.normal(0, 0.06, (9, 9))
        seen = [
            KnownRate(str(m), str(b), theta[m, b] + rng.normal(0, 0.03), 0.03**2, "")
            for m in range(8)
            for b in range(9)
            if rng.random() < 0.5
        ]
        found = hierarchy.draws(tuple(seen), tuple(("8", str(b)) for b in range(9)), 500, world)
        for b in range(9):
            place = float(np.mean(found[:, b] < theta[8, b]))
            held.append([abs(place - 0.5) <= share / 2 for share in scores.CENTRAL])
    for share, got in zip(scores.CENTRAL, np.mean(held, axis=0), strict=True):
        assert abs(got - share) < 0.09, (share, got)  # nine cells of a world share its new model


def test_leaving_out_one_model_the_bank_beats_not_knowing_the_bias() -> None:
    rows, own, blind = published_rates(), [], []
    for model in {row.model for row in rows}:
        rest, cells = tuple(r for r in rows if r.model != model), [r for r in rows if r.model == model]
        if not {r.bias for r in cells} & {r.bias for r in rest}:
            continue
        drawn = hierarchy.draws(rest, tuple((model, r.bias) for r in cells))
        for i, row in enumerate(cells):
            noise = np.random.default_rng(i).normal(0, row.variance**0.5, len(drawn))
            own.append(scores.crps(drawn[:, i] + noise, row.value))
            sd = (hierarchy.BLIND[1] ** 2 + row.variance) ** 0.5
            blind.append(scores.crps_normal(row.value, hierarchy.BLIND[0], sd))
    assert np.mean(own) < np.mean(blind)


# ---------------------------------------------------------------- the page of the docs


def test_the_command_lines_of_the_planning_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line but `unsway run`, whose place a scripted model takes; the blocks of Python run with tests/test_docs.py."""
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parent.parent / "docs/planning.md").read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S) for line in block.splitlines()]
    study = Study(models="unsway/smollm2-135m", biases=("suggested_answer", "post_hoc"), tasks="procedural/dates", n=12)
    Path("study.json").write_text(dumps(study))
    done = []
    for line in lines:
        _, *words = shlex.split(line)
        if words[0] == "run":
            run(study, tmp_path / words[3], using=models(study, post_hoc=0.9, suggested_answer=0.2))
            continue
        if words[0] == "decided":
            words[1] = next(one.id for one in open_decisions("runs") if "suggested_answer?" in one.text)[:8]
        found = CliRunner().invoke(main, words)
        assert found.exit_code == 0, f"{line}\n{found.output}"
        done.append(words[0])
    assert set(done) == {"forecast", "note", "next", "score", "decided"} and len(done) == 8
