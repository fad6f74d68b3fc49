"""Forecasts and their scores for people: plain rows and sentences. Rates become points here.

In: `Forecast`s, a `ForecastHistory`. Out: rows of equal keys for a table or for JSON, and sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from unsway import layout
from unsway.errors import number_of
from unsway.planning.decisions import FreeNote, Stated, StatedDecision
from unsway.planning.forecasts import Forecast, Quantity, kind_of
from unsway.planning.worth import in_percent
from unsway.reporting.plan import minutes
from unsway.reporting.words import NONE, dollars, human, join_names, percent, visible
from unsway.studies.deciding import waiting
from unsway.studies.next_runs import NextSteps
from unsway.studies.readable import read_folders
from unsway.studies.scoring import ForecastHistory, ScoredForecast

SURPRISING = 0.1
"""A number is surprising if its chance is below this; half of it on either side."""
STRIP_WIDTH, STRIP_EDGE = 160.0, 6.0
"""Width of a strip on the page, and the margin at its ends, in pixels."""
ENOUGH_TARGETS = 20
"""Minimum number of scored rates for reporting in which fifths the numbers fell."""
NO_OPTIMISM = 0.05
"""Below this many standard deviations, numbers count as being as high as expected."""
UNEXPECTED = 0.05
"""A result is called unexpected if its two-sided chance is below this."""


def number(quantity: Quantity, value: float) -> str:
    """A number in its unit: points of a rate, a ratio with two decimals, dollars, minutes."""
    if quantity.kind in ("brr", "effect"):
        return percent(value, signed=True)
    if quantity.kind == "dollars":
        return dollars(value, "")
    return f"{value:.2f}" if quantity.kind == "ratio" else f"{value:.3g}"


def quantity_name(quantity: Quantity) -> str:
    """The name of a quantity, for people."""
    return f"{quantity.kind} {human(quantity.bias)}, {visible(quantity.arm)}" if quantity.bias else quantity.kind


def forecast_rows(forecasts: Iterable[Forecast], *, spreads: Mapping[str, float] | None = None) -> list[dict[str, str]]:
    """A row for each forecast: its 80 % interval, and which results would be surprising.

    Args:
        forecasts: The forecasts; the bias-blind ones, a reference for skill, are left out.
        spreads: How many times wider each forecaster's intervals should have been so far (`ForecastHistory.spreads`); adds
            a column with the widened intervals.
    """
    rows = []
    for forecast in forecasts:
        if kind_of(forecast.who) == "blind":
            continue
        quantity = Quantity.parse(forecast.quantity)
        row = {"number": quantity_name(quantity), "who": visible(forecast.who), "n": str(forecast.n or NONE)}
        if forecast.chance is not None and forecast.above is not None:
            row |= {
                "expected": f"above {number(quantity, forecast.above)}: {forecast.chance:.0%}",
                "80 %": NONE,
                "surprising": NONE,
            }
        else:
            low, high = forecast.central(0.8)
            below, above = forecast.central(1 - SURPRISING)
            row |= {
                "expected": number(quantity, forecast.quantile(0.5)),
                "80 %": f"{number(quantity, low)} to {number(quantity, high)}",
                "surprising": f"below {number(quantity, below)} or above {number(quantity, above)}",
            }
        if spreads is not None:
            row["80 %, recalibrated"] = _recalibrated_interval(forecast, spreads.get(forecast.who, 1.0))
        rows.append(row | {"why": forecast.why + (" (late: not scored)" if forecast.late else "")})
    return rows


def _recalibrated_interval(forecast: Forecast, spread: float) -> str:
    """The 80 % interval of a BRR, widened as the forecaster's history suggests; a dash for other numbers."""
    quantity = Quantity.parse(forecast.quantity)
    if not forecast.quantiles or quantity.kind != "brr":
        return NONE
    middle = forecast.quantile(0.5)
    low, high = (min(max(middle + spread * (end - middle), -1.0), 1.0) for end in forecast.central(0.8))
    return f"{number(quantity, low)} to {number(quantity, high)}"


def decision_sentences(forecasts: Iterable[Forecast], stated: Iterable[Stated]) -> list[str]:
    """For each decision that waits for one of the numbers: the chance, by each forecast, that you will act."""
    sentences = []
    stated = tuple(stated)
    for forecast in forecasts:
        for decision in stated:
            if not isinstance(decision, StatedDecision) or forecast.quantity != decision.quantity:
                continue
            if forecast.quantiles and kind_of(forecast.who) != "blind":
                chance = (forecast.chance_above if decision.above else forecast.chance_below)(decision.threshold)
                sentences.append(
                    f"{visible(decision.text)} {chance:.0%} that {decision.condition} ({visible(forecast.who)})."
                )
    return sentences


def score_rows(history: ForecastHistory, *, blind: bool = False, who: str = "") -> list[dict[str, str]]:
    """A row for each scored forecast: the forecast, the result, and the score, in points for rates.

    Args:
        history: The scores.
        blind: Whether to show bias-blind forecasts.
        who: Whose forecasts to show; empty shows all.
    """
    people = {who} if who else {person for person in history.people() if blind or kind_of(person) != "blind"}
    return [_score_row(row) for row in history.rows if row.forecast.who in people]


def _score_row(row: ScoredForecast) -> dict[str, str]:
    quantity = Quantity.parse(row.forecast.quantity)
    forecast, actual = row.forecast, row.printed.value
    unit = 100 if quantity.kind == "brr" else 1
    cells = {"number": quantity_name(quantity), "study": visible(forecast.folder), "who": visible(forecast.who)}
    if row.crps is None or row.p is None:
        expected = f"above {number(quantity, forecast.above or 0)}: {forecast.chance:.0%}"
        return cells | {
            "expected": expected,
            "came": number(quantity, actual),
            "score": f"Brier {row.brier:.2f}",
            "note": "" if row.machine_brier is None else f"machine {row.machine_brier:.2f}",
        }
    low, high = row.central(0.8)
    resize_notes = (
        [f"as expected of {number_of(row.printed.n, 'question')}; {forecast.n} were planned"] if row.resized else []
    )
    return cells | {
        "expected": f"{number(quantity, low)} to {number(quantity, high)}",
        "came": number(quantity, actual),
        "score": f"{unit * row.crps:.2g}",
        "note": "; ".join((["unexpected"] if row.p < UNEXPECTED else []) + resize_notes),
    }


class ForecastStrip(NamedTuple):
    """One scored forecast on the page: its texts, and for a rate its 80 % interval behind the result."""

    texts: tuple[str, ...]
    """Its texts, as `score_rows` has them."""
    person: bool
    """Whether a person made it; its bar is then hollow."""
    bar: tuple[float, float] | None
    """Ends in pixels of the 80 % interval at the actual sample size; None for chances, and for numbers other than rates."""
    came: tuple[float, float, float]
    """The lower end of the result's interval, the result, and the upper end, in pixels."""
    zero: float
    """Position of no sway, in pixels."""
    said: str
    """Description of the strip for people who cannot see it."""


def forecast_strips(history: ForecastHistory) -> tuple[ForecastStrip, ...]:
    """Every scored forecast but the blind ones; all rates share one axis, which covers all intervals and 0."""
    rows = [row for row in history.rows if kind_of(row.forecast.who) != "blind"]
    spans: list[tuple[float, ...]] = []  # for a rate: the interval of the result, then that of the forecast
    for row in rows:
        result = row.printed
        is_rate = Quantity.parse(row.forecast.quantity).kind == "brr"
        result_ends = [result.value if end is None else end for end in (result.low, result.high)]
        spans.append((*result_ends, *row.central(0.8)) if is_rate and row.forecast.quantiles else ())
    ends = [end for span in spans for end in span] or [0.0]
    low, high = min(0.0, *ends), max(0.0, *ends)
    scale = (STRIP_WIDTH - 2 * STRIP_EDGE) / max(high - low, 0.01)

    def at(value: float) -> float:
        return round(STRIP_EDGE + scale * (value - low), 1)

    strips = []
    for row, span in zip(rows, spans, strict=True):
        texts = _score_row(row)
        strips.append(
            ForecastStrip(
                tuple(texts.values()),
                kind_of(row.forecast.who) == "person",
                (at(span[2]), at(span[3])) if span else None,
                (at(span[0]), at(row.printed.value), at(span[1])) if span else (0.0, 0.0, 0.0),
                at(0.0),
                f"{texts['number']}: {texts['who']} expected {texts['expected']}, {texts['came']} came",
            )
        )
    return tuple(strips)


def history_body(history: ForecastHistory) -> dict[str, Any]:
    """The history as JSON, without the quantiles."""
    rows = [
        {"quantity": row.forecast.quantity, "folder": row.forecast.folder, "who": row.forecast.who}
        | {"value": row.printed.value, "crps": row.crps, "wis": row.wis, "place": row.place, "p": row.p}
        | {"brier": row.brier, "log": row.log, "machine_brier": row.machine_brier}
        for row in history.rows
    ]
    people = {
        who: {
            "calibration": None if calibration is None else asdict(calibration),
            "skill": None if skill is None else asdict(skill),
        }
        for who in history.people()
        for calibration, skill in [(history.calibration(who), history.skill(who))]
    }
    counts = {"open": history.n_open, "late": history.n_late}
    return {"rows": rows, "people": people, "factors": history.factors, "cost_factors": history.cost_factors} | counts


def history_sentences(history: ForecastHistory, *, who: str = "") -> tuple[str, ...]:
    """Summary of the scores of all studies; with `who`, of one person's forecasts."""
    n = sum(kind_of(row.forecast.who) != "blind" for row in history.rows)
    counts = (f"{number_of(n, 'forecast')} scored", f"{history.n_open} open", f"{history.n_late} late, not scored")
    counts_text = ", ".join(count for count in counts if not count.startswith("0 ")) or "No forecast was made"
    sentences = [] if who else [f"{counts_text}."]
    for person in [who] if who else history.people():
        calibration, skill = history.calibration(person), history.skill(person)
        if calibration is None or kind_of(person) == "blind":
            continue
        deviation = (
            f"{abs(calibration.optimism):.1f} standard deviations "
            f"{'higher' if calibration.optimism > 0 else 'lower'} than"
        )
        deviation = "as high as" if abs(calibration.optimism) < NO_OPTIMISM else deviation
        share, interval = calibration.coverage[0.8]
        sentence = (
            f"{visible(person)}: the 80% interval held {share:.0%} [{interval.low:.0%}, {interval.high:.0%}] of "
            f"{number_of(calibration.n, 'rate')} in {number_of(calibration.n_studies, 'study')}; intervals should be "
            f"{calibration.spread:.1f} times as wide, and numbers came out {deviation} expected."
        )
        if calibration.n >= ENOUGH_TARGETS:
            sentence += (
                f" They fell {join_names(list(map(str, calibration.fifths)))} times in the fifths of their forecasts."
            )
        if skill is not None:
            skill_interval = (
                f" [{percent(skill.interval.low)}, {percent(skill.interval.high)}]" if skill.interval else ""
            )
            sentence += f" Skill against not knowing the bias: {percent(skill.value, signed=True)} %{skill_interval}."
        sentences.append(sentence)
    for factors, verb, adverb in ((history.factors, "took", "long"), (history.cost_factors, "cost", "much")):
        if factors:
            plans = "plan" if len(factors) == 1 else f"{len(factors)} plans"
            reach = f" to {max(factors):.1f}" if factors[1:] else ""
            middle = f" (median {median(factors):.1f})" if factors[1:] else ""
            sentences.append(
                f"Your last {plans} {verb} {min(factors):.1f}{reach} times as {adverb} as planned{middle}."
            )
    return tuple(sentences)


def note_line(made: Stated | FreeNote) -> str:
    """What was noted, in one line: for a decision its id, condition, due day and worth."""
    if isinstance(made, FreeNote):
        return "Noted."
    due = f", due {made.due}" if made.due else ""
    worth = "" if made.worth is None else f", worth ${made.worth:g} a point"
    connector = "if" if isinstance(made, StatedDecision) else "by"
    return f"{made.id}: {made.text} {connector} {made.condition}{due}{worth}"


def step_rows(ranking: NextSteps, top: int) -> list[dict[str, str]]:
    """A row for each of the best options: its cost, the chance that it changes the decision, and its value for its cost."""
    worth = {decision.id: decision.worth is not None for decision in ranking.decisions}
    return [
        {
            "option": visible(step.what),
            "US$": dollars(step.dollars, ""),
            "wait": minutes(step.minutes) + ("" if step.minutes >= 120 else " min"),
            "changes it": in_percent(step.chance) if step.decision else NONE,
            "value": (dollars(step.value) if worth.get(step.decision) else _short(step.value))
            + (f" ± {2 * step.se:.2g}" if step.se else ""),
            "per US$": _short(step.per_dollar),
            "per hour": _short(step.per_hour),
            "pays": "yes" if step.pays else "no",
        }
        for step in ranking.steps[:top]
    ]


def _short(value: float) -> str:
    """A value with two digits; a negligible one is 0."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value >= 1e-6 else "0"


def waiting_rows(root: str | Path) -> list[dict[str, str]]:
    """A row for each decision that waits for a person, in every notebook below a folder, the first due first."""
    today = f"{datetime.now().astimezone():%Y-%m-%d}"
    rows = [
        {
            "decision": visible(waiting_decision.decision.text),
            "id": waiting_decision.decision.id,
            "due": (waiting_decision.decision.due or NONE)
            + (" (passed)" if "" < waiting_decision.decision.due < today else ""),
            "as things stand": visible(waiting_decision.stands),
            "may change": in_percent(waiting_decision.doubt),
        }
        for _, decisions in read_folders((path.parent for path in sorted(Path(root).rglob(layout.NOTEBOOK))), waiting)
        for waiting_decision in decisions
    ]
    return sorted(rows, key=lambda row: (row["due"] == NONE, row["due"]))
