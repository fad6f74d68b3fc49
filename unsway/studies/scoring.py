"""Forecasts against what came: every number that a study printed settles the forecasts of it.

In: a study's folder and the notebook next to it. Out: `result` rows in the notebook, and `ForecastHistory`: a score for each
forecast, and over all studies whether their widths and middles were right. Nothing is asked.

    score("runs/mine").rows[0].crps
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from unsway import layout
from unsway.errors import BadInput
from unsway.models.weights import CHECKPOINT_FILE, read_checkpoint
from unsway.planning.forecasts import Forecast, Printed, Quantity, central, newest
from unsway.planning.history import past_runs
from unsway.planning.prices import price_of, prices
from unsway.stats import scores
from unsway.store import replies_in
from unsway.studies.notebook import Notebook
from unsway.studies.results import Results, plain_name
from unsway.types import Estimate

REFERENCE = "blind"
"""Whose forecasts skill is measured against: the machine's, without knowing the bias."""


@dataclass(frozen=True, slots=True)
class ScoredForecast:
    """One forecast and what came. Scores are in the units of the number; lower is better."""

    forecast: Forecast
    """What was expected."""
    printed: Printed
    """What came."""
    crps: float | None
    """None where only a chance was given; so for the next three."""
    wis: float | None
    """Weighted interval score of the median and the 80 % interval, the same for people and the machine."""
    place: float | None
    """Where the number fell in the forecast (PIT): 0.5 is the middle."""
    p: float | None
    """How unexpected the number was: the two-sided chance of one as far out."""
    brier: float | None = None
    """Of a chance; None where a distribution was given, as for the next."""
    log: float | None = None
    """Logarithmic score of a chance."""


@dataclass(frozen=True, slots=True)
class ForecastHistory:
    """Scores of all forecasts that came true or false, in the order of the notebook."""

    rows: tuple[ScoredForecast, ...]
    """One for each forecast that is settled."""
    n_open: int
    """Forecasts of which nothing came: the cell was not run."""
    n_late: int
    """Forecasts made after the first replies; they are kept and never scored."""
    factors: tuple[float, ...] = ()
    """Truth over plan of minutes, of each study and run that was planned."""

    def people(self) -> tuple[str, ...]:
        """Who made forecasts, the machine's included."""
        return tuple(dict.fromkeys(row.forecast.who for row in self.rows))

    def calibration(self, who: str) -> scores.Calibration | None:
        """Calibration of somebody's forecasts of rates; None where none is settled."""
        rows = [row for row in self._rates(who) if row.place is not None]
        if not rows:
            return None
        return scores.calibration([row.place for row in rows if row.place is not None], [_study(row) for row in rows])

    def skill(self, who: str) -> scores.Skill | None:
        """Skill of somebody's forecasts of rates against the bias-blind prior; None where they share none."""
        theirs = {_key(row): row.crps for row in self.rows if row.forecast.who.partition("@")[0] == REFERENCE}
        both = [(row, row.crps, theirs.get(_key(row))) for row in self._rates(who)]
        shared = [(row, own, other) for row, own, other in both if own is not None and other is not None]
        if not shared or not sum(other for _, _, other in shared) > 0:
            return None
        own, other, studies = (
            [o for _, o, _ in shared],
            [o for _, _, o in shared],
            [_study(row) for row, _, _ in shared],
        )
        return scores.skill(own, other, studies)

    def _rates(self, who: str) -> list[ScoredForecast]:
        return [row for row in self.rows if row.forecast.who == who and row.forecast.n]


def score(folder: str | Path) -> ForecastHistory:
    """Score the forecasts of a study's folder, or of all studies next to a notebook.

    Args:
        folder: A study's folder, or the folder that holds the notebook.

    Raises:
        BadInput: There is no notebook in it or next to it.
    """
    place = Path(folder)
    book = Notebook(place)
    name = ""
    if not book.path.exists():
        book, name = Notebook.of(place), place.resolve().name
    if not book.path.exists():
        raise BadInput(f"There is no {layout.NOTEBOOK} in or next to {str(place)!r}. `unsway forecast` starts one.")
    forecasts, printed = book.all(Forecast), book.all(Printed)
    mine = [one for one in forecasts if not name or one.folder == name]
    by_id = {key: one for one in printed for key in one.forecasts}
    valid = newest(mine)
    return ForecastHistory(
        tuple(_scored(one, by_id[one.id]) for one in valid if one.id in by_id),
        sum(one.id not in by_id for one in valid),
        sum(one.late for one in mine),
        factors(book),
    )


def settle(folder: str | Path, found: Results) -> tuple[Printed, ...]:
    """Note in the notebook what came of the forecasts of a folder; returns the rows that are new.

    Minutes and dollars are settled when every arm that was forecast has numbers.

    Args:
        folder: The study's folder.
        found: Its numbers.
    """
    book, name = Notebook.of(folder), Path(folder).resolve().name
    if not book.path.exists():
        return ()
    ids: dict[str, list[str]] = {}
    for one in newest(book.all(Forecast)):
        if one.folder == name:
            ids.setdefault(one.quantity, []).append(one.id)
    known = {(one.quantity, one.folder): one for one in book.all(Printed)}
    new = []
    for quantity, value, low, high, n in _numbers(Path(folder), found, [Quantity.parse(text) for text in ids]):
        row = Printed(str(quantity), name, value, low, high, n, tuple(ids[str(quantity)]))
        if known.get((row.quantity, name)) != row:
            book.append(row)
            new.append(row)
    return tuple(new)


def factors(book: Notebook) -> tuple[float, ...]:
    """Truth over plan of minutes: of the forecasts of a notebook, and of the planned runs of the folders next to it."""
    plans = {one.id: one.plan for one in book.all(Forecast) if one.quantity == "minutes" and one.plan}
    found = {one.folder: one.value / plans[key] for one in book.all(Printed) for key in one.forecasts if key in plans}
    others = [path.parent for path in sorted(book.project.glob(f"*/{layout.PAST}")) if path.parent.name not in found]
    runs = [run for folder in others for run in past_runs(folder) if run.planned_seconds]
    return (*found.values(), *(run.seconds / run.planned_seconds for run in runs if run.planned_seconds))


# ---------------------------------------------------------------- numbers of a folder


def _numbers(
    folder: Path, found: Results, wanted: Iterable[Quantity]
) -> Iterator[tuple[Quantity, float, float | None, float | None, int]]:
    """Quantity, value, interval and size of the numbers that a folder has."""
    wanted = tuple(wanted)
    estimates = {one: _estimate(found, one) for one in wanted if one.bias}
    for one, estimate in estimates.items():
        if estimate is not None and estimate.value is not None:
            yield one, estimate.value, estimate.low, estimate.high, estimate.n
    whole = all(one is not None for one in estimates.values())
    for one in wanted:
        value = {"minutes": _minutes, "dollars": _dollars}[one.kind](folder) if whole and not one.bias else None
        if value is not None:
            yield one, value, None, None, 0


def _estimate(found: Results, wanted: Quantity) -> Estimate | None:
    """The printed estimate of a rate or a ratio; None where it is not there."""
    arm = next((arm for arm in found.arms if arm.is_called(wanted.arm)), None)
    bias = next((bias for bias in found.biases if plain_name(bias) == wanted.bias), None)
    if arm is None or bias is None:
        return None
    if wanted.kind == "ratio":
        return found.ratio(arm, bias)
    cell = found.cell(arm, bias)
    return None if cell is None else cell["brr"]


def _minutes(folder: Path) -> float | None:
    """Minutes that the folder's runs took; None where none was recorded."""
    runs = past_runs(folder)
    return sum(run.seconds for run in runs) / 60 if runs else None


def _dollars(folder: Path) -> float | None:
    """US dollars for the replies and trainings of a folder; None where a price is not known."""
    table, total = prices(), 0.0
    for reply in replies_in(folder / layout.REPLIES):
        price = price_of(reply.model, table)
        if price is None:
            return None
        total += price.of(reply.tokens_in, reply.tokens_out)
    records = (folder / layout.TRAINED).glob(f"*/{CHECKPOINT_FILE}")
    return total + sum(read_checkpoint(record.parent).cost or 0.0 for record in records)


# ---------------------------------------------------------------- one forecast


def _scored(forecast: Forecast, printed: Printed) -> ScoredForecast:
    """A forecast against the number that came, at the size that it got."""
    y = printed.value
    if forecast.chance is not None and forecast.above is not None:
        chance, happened = forecast.chance, y > forecast.above
        return ScoredForecast(
            forecast,
            printed,
            None,
            None,
            None,
            None,
            scores.brier(chance, happened),
            scores.log_score(chance, happened),
        )
    q = forecast.at_size(printed.n)
    place = scores.pit(q, y)
    middle = scores.weighted_interval_score(q[len(q) // 2], {0.8: central(q, 0.8)}, y)
    return ScoredForecast(forecast, printed, scores.crps_quantiles(q, y), middle, place, scores.unexpected(place))


def _key(row: ScoredForecast) -> tuple[str, str]:
    return row.forecast.quantity, row.forecast.folder


def _study(row: ScoredForecast) -> str:
    return row.forecast.folder
