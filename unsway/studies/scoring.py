"""Score forecasts against the results, one by one and over all studies.

In: a study's folder and the notebook next to it, where `unsway.studies.settling` noted the results. Out: `ForecastHistory`: a
score for each forecast, and over all studies whether widths and medians were right. Nothing is asked.

    score("runs/mine").rows[0].crps
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unsway import layout
from unsway.errors import BadInput
from unsway.planning.forecasts import DIGITS, Forecast, Printed, Quantity, central, kind_of, newest_forecasts
from unsway.planning.history import past_runs
from unsway.stats import scores
from unsway.stats.intervals import Interval
from unsway.studies.notebook import Notebook
from unsway.studies.readable import read_folders
from unsway.types.kinds import checked


@dataclass(frozen=True, slots=True)
class ScoredForecast:
    """One forecast and its result. Scores are in the units of the number; lower is better."""

    forecast: Forecast
    """The forecast."""
    printed: Printed
    """The result."""
    crps: float | None
    """Continuous ranked probability score. None if only a chance was given; likewise for the next three fields."""
    wis: float | None
    """Weighted interval score of the median and the 80 % interval, the same for people and the machine."""
    place: float | None
    """Quantile of the number in the forecast (PIT): 0.5 is the median."""
    p: float | None
    """How unexpected the number was: the two-sided chance of a number at least as extreme."""
    brier: float | None = None
    """Brier score of a chance; None if a distribution was given; likewise for the next field."""
    log: float | None = None
    """Logarithmic score of a chance."""
    machine_brier: float | None = None
    """Brier score of the machine's chance of the same event, from its distribution; None if it made none."""

    @classmethod
    def of(cls, forecast: Forecast, printed: Printed, machine: Forecast | None = None) -> ScoredForecast:
        """Score a forecast against the result, at the sample size actually reached; a chance also against the machine's.

        Numbers are rounded like quantiles, so a number on the lattice equals its own step, and a threshold its number.
        """
        y = round(printed.value, DIGITS)
        if forecast.chance is not None and forecast.above is not None:
            chance, happened = forecast.chance, y > forecast.above
            brier, log = scores.brier(chance, happened), scores.log_score(chance, happened)
            machine_brier = None if machine is None else scores.brier(machine.chance_above(forecast.above), happened)
            return cls(forecast, printed, None, None, None, None, brier, log, machine_brier)
        q = forecast.at_size(printed.n)
        place = scores.pit(q, y)
        wis = scores.weighted_interval_score(q[len(q) // 2], {0.8: central(q, 0.8)}, y)
        return cls(forecast, printed, scores.crps_quantiles(q, y), wis, place, scores.unexpected(place))

    def central(self, coverage: float) -> Interval:
        """The central interval that was scored: at the actual sample size, if that can be derived from the forecast."""
        return central(self.forecast.at_size(self.printed.n), coverage)

    @property
    def resized(self) -> bool:
        """Whether it is scored at another sample size than planned."""
        return bool(self.forecast.truth and self.printed.n and self.printed.n != self.forecast.n)


@dataclass(frozen=True, slots=True)
class ForecastHistory:
    """Scores of all settled forecasts, in the order of the notebook."""

    rows: tuple[ScoredForecast, ...]
    """One for each forecast that is settled."""
    n_open: int
    """Forecasts without a result, because the cell was not run. Bias-blind forecasts are not counted."""
    n_late: int
    """Forecasts made after the first replies; they are stored but never scored."""
    factors: tuple[float, ...] = ()
    """Actual over planned minutes of each planned study and run."""
    cost_factors: tuple[float, ...] = ()
    """Actual over planned US dollars of each study whose dollars were forecast."""

    def people(self) -> tuple[str, ...]:
        """Names of all forecasters, including the machine."""
        return tuple(dict.fromkeys(row.forecast.who for row in self.rows))

    def calibration(self, who: str) -> scores.Calibration | None:
        """Calibration of one forecaster's forecasts of rates; None if none is settled."""
        rows = [row for row in self._rates(who) if row.place is not None]
        if not rows:
            return None
        return scores.calibration([row.place for row in rows if row.place is not None], [_study(row) for row in rows])

    def skill(self, who: str) -> scores.Skill | None:
        """Skill of one forecaster's rates against the bias-blind prior; None if they share no settled number."""
        blind_by_key = {_key(row): row.crps for row in self.rows if kind_of(row.forecast.who) == "blind"}
        candidates = [(row, row.crps, blind_by_key.get(_key(row))) for row in self._rates(who)]
        shared = [(row, own, blind) for row, own, blind in candidates if own is not None and blind is not None]
        if not shared or not sum(blind for _, _, blind in shared) > 0:
            return None
        own_scores, blind_scores, studies = (
            [o for _, o, _ in shared],
            [o for _, _, o in shared],
            [_study(row) for row, _, _ in shared],
        )
        return scores.skill(own_scores, blind_scores, studies)

    def spreads(self) -> dict[str, float]:
        """By forecaster: how many times wider the forecasts of rates should have been."""
        calibrations = {who: self.calibration(who) for who in self.people()}
        return {who: calibration.spread for who, calibration in calibrations.items() if calibration is not None}

    def _rates(self, who: str) -> list[ScoredForecast]:
        """One forecaster's scored BRRs. Ratios follow from BRRs; minutes and dollars are scored as plans."""
        rows = (row for row in self.rows if row.forecast.who == who)
        return [row for row in rows if Quantity.parse(row.forecast.quantity).kind == "brr"]


@checked
def score(folder: str | Path) -> ForecastHistory:
    """Score the forecasts of a study's folder, or of all studies next to a notebook.

    Args:
        folder: A study's folder, or the folder that holds the notebook.

    Raises:
        BadInput: There is no notebook in it or next to it.
    """
    path = Path(folder)
    notebook = Notebook(path)
    name = ""
    if not notebook.path.exists():
        notebook, name = Notebook.of(path), path.resolve().name
    if not notebook.path.exists():
        raise BadInput(
            f"There is no {layout.NOTEBOOK} in or next to {str(path)!r}. `unsway forecast` or `unsway note` starts one."
        )
    forecasts = notebook.forecasts_of(path) if name else notebook.all(Forecast)
    results_by_id = {key: result for result in notebook.all(Printed) for key in result.forecasts}
    valid = newest_forecasts(forecasts)
    machine_forecasts = {
        (forecast.quantity, forecast.folder): forecast for forecast in valid if kind_of(forecast.who) == "machine"
    }
    return ForecastHistory(
        tuple(
            ScoredForecast.of(
                forecast, results_by_id[forecast.id], machine_forecasts.get((forecast.quantity, forecast.folder))
            )
            for forecast in valid
            if forecast.id in results_by_id
        ),
        sum(forecast.id not in results_by_id and kind_of(forecast.who) != "blind" for forecast in valid),
        sum(forecast.late and kind_of(forecast.who) != "blind" for forecast in forecasts),
        factors(notebook),
        tuple(_over_plan(notebook, "dollars").values()),
    )


def kept_history(folder: Path) -> ForecastHistory | None:
    """The scores of a study's folder; None if nothing of it was forecast."""
    if not Notebook.of(folder).path.exists():
        return None
    history = score(folder)
    return history if history.rows else None


def factors(book: Notebook) -> tuple[float, ...]:
    """Actual over planned minutes: of a notebook's forecasts, and of the planned runs in the folders next to it."""
    by_folder = _over_plan(book, "minutes")
    folders = [
        path.parent for path in sorted(book.project.glob(f"*/{layout.PAST}")) if path.parent.name not in by_folder
    ]
    runs = [run for _, folder_runs in read_folders(folders, past_runs) for run in folder_runs if run.planned_seconds]
    return (*by_folder.values(), *(run.seconds / run.planned_seconds for run in runs if run.planned_seconds))


def _over_plan(notebook: Notebook, quantity: str) -> dict[str, float]:
    """Actual over planned minutes or dollars by folder, if they were forecast and are known."""
    plans = {
        forecast.id: forecast.plan
        for forecast in notebook.all(Forecast)
        if forecast.quantity == quantity and forecast.plan
    }
    return {
        result.folder: result.value / plans[key]
        for result in notebook.all(Printed)
        for key in result.forecasts
        if key in plans
    }


def _key(row: ScoredForecast) -> tuple[str, str]:
    return row.forecast.quantity, row.forecast.folder


def _study(row: ScoredForecast) -> str:
    return row.forecast.folder
