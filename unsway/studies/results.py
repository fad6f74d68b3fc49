"""A finished study as one value: what which models were asked, their replies, and every number that follows.

In: arms, pairs and replies. Out: `Results`, which the table, the page and the notebook show. No model is asked here
and no statistics are defined here: outcomes and estimates come from `unsway.stats`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from unsway.effects.results import EffectPanel
from unsway.errors import BadInput, UnknownName
from unsway.registry import Ref, Registry
from unsway.stats.outcomes import ReplyIndex
from unsway.studies.arms import Arm, base_of, first_of, join_arms, reply_index
from unsway.types import ArmKey, Estimate, Pair, Prompt, Question, Reply, ThoughtTest, Verdict

if TYPE_CHECKING:
    import altair as alt

    from unsway.judging.trust import JudgeCost
    from unsway.models.session import ModelLike
    from unsway.stats.estimates import Cell
    from unsway.stats.outcome_table import OutcomeTable, ReadReplies
    from unsway.stats.reply_table import ReplyTable
    from unsway.studies.measurement import MeasuredWith
    from unsway.studies.scoring import ForecastHistory


class Ratio(NamedTuple):
    """BRR of an arm / BRR of the base, for one bias."""

    arm: str
    """Label of the arm."""
    bias: str
    """`name@version`."""
    estimate: Estimate


class HeldOut(NamedTuple):
    """The biases an arm never trained on, averaged, against the base (arXiv 2403.05518, §4)."""

    arm: str
    """Label of the arm."""
    ratio_of_means: Estimate
    """Mean BRR of the arm / mean BRR of the base: the headline."""
    mean_of_ratios: Estimate
    """Mean over biases of the BRR ratio, printed next to the headline."""
    mean: Estimate
    """Mean BRR of the arm."""
    base_mean: Estimate
    """Mean BRR of the base under the same biases; unless its interval is above 0, the ratio of means has no value."""


class SkippedCount(NamedTuple):
    """How many questions were skipped for a bias, and why."""

    bias: str
    """`name@version`."""
    reason: str
    n: int
    """Number of questions."""


views: Registry[Callable[..., Any]] = Registry("view of results", "unsway.reporting", Callable)
"""The views that display results, by name; `unsway.reporting.display` declares terminal, markdown, notebook and chart."""


@dataclass(frozen=True, slots=True)
class Notes:
    """What a study's folder stores besides pairs and replies."""

    skipped: tuple[SkippedCount, ...] = ()
    """Questions skipped for each bias, and why."""
    stopped: frozenset[tuple[str, str]] = frozenset()
    """(model, bias) pairs that were stopped early. A pair asked only on its clean side then counts as not asked, not
    as missing."""
    instead: Mapping[ArmKey, Mapping[str, str]] = field(default_factory=dict)
    """For arms under an intervention or a template's own system prompt: maps a prompt's id to the id of the one asked."""
    about: Mapping[str, str] = field(default_factory=dict)
    """What you need to run it again, and what it cost: versions, seeds, commands, durations, dollars."""
    verdicts: tuple[Verdict, ...] = ()
    """Verdicts of judges on the replies (`unsway judge`), and of a second reader (`unsway reread --second-reader`)."""
    labels: tuple[Verdict, ...] = ()
    """People's verdicts on the replies (`unsway label`)."""
    labelled: str = ""
    """Which replies people were shown: `all` is a random sample of the biased ones; empty if unknown."""
    judging: tuple[JudgeCost, ...] = ()
    """Tokens and cost of each judge."""
    panel: EffectPanel | None = None
    """Side effects of the trainings (`unsway effects`); None if not asked."""
    expected: ForecastHistory | None = None
    """Forecasts of its numbers and how they turned out; None if nothing was forecast."""
    decisions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Lines about the project's decisions under the headings Decided and Next, as of the time of the report."""
    thoughts: tuple[ThoughtTest, ...] = ()
    """How answers changed when the reasoning before them was changed (`unsway interrogate`)."""


def plain_name(versioned: str) -> str:
    """The name without its version: `suggested_answer@1` is `suggested_answer`."""
    return Ref.parse(versioned).unversioned


@dataclass(frozen=True, slots=True)
class Results:
    """Everything a report shows. Rates are fractions; only displays for people use percent."""

    title: str
    arms: tuple[Arm, ...]
    """The base first."""
    trained_biases: tuple[str, ...]
    """Names of the biases that were trained on; all others are held out."""
    pairs: tuple[Pair, ...] = field(repr=False)
    index: ReplyIndex = field(repr=False, compare=False)
    """The replies of the arms; `reply` and `replies_of` look them up."""
    outcomes: OutcomeTable = field(repr=False)
    cells: tuple[Cell, ...] = field(repr=False)
    """One cell for each arm and bias, all sources together."""
    cells_by_source: tuple[Cell, ...] = field(repr=False)
    """One cell for each arm, bias and source."""
    overall: tuple[Cell, ...] = field(repr=False)
    """One cell for each arm, all biases and sources together."""
    ratios: tuple[Ratio, ...] = field(repr=False)
    held_out: tuple[HeldOut, ...] = field(repr=False)
    skipped: tuple[SkippedCount, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)
    """What you need to run it again, and what it cost: versions, seeds, commands, durations, dollars."""
    notes: Notes = field(default_factory=Notes, repr=False, compare=False)
    """What the folder stores besides pairs and replies."""
    measured: MeasuredWith | None = field(default=None, repr=False, compare=False)
    """The arguments it was measured with, if `unsway.measure` made it; else None."""
    level: float = 0.95
    """Nominal coverage of every interval."""

    def __post_init__(self) -> None:
        from unsway.stats.outcome_table import OutcomeTable

        object.__setattr__(self, "outcomes", OutcomeTable.of(self.outcomes))  # frozen; given as any sequence
        for kind in ("label", "name"):
            names = [getattr(arm, kind) for arm in self.arms]
            if len(set(names)) < len(names):
                raise BadInput(
                    f"Two arms have the same {'model' if kind == 'name' else kind}: {names}. Each arm needs its own."
                )

    @classmethod
    def build(
        cls,
        title: str,
        arms: Iterable[Arm],
        pairs: Iterable[Pair],
        replies: Iterable[Reply] | ReadReplies,
        *,
        trained_biases: Iterable[str] = (),
        notes: Notes = Notes(),  # frozen
        level: float = 0.95,
        seed: int = 0,
    ) -> Results:
        """Read the replies and compute every number.

        Args:
            title: Name of the study.
            arms: The models; ratios compare with the one whose role is base.
            pairs: The pairs that were asked.
            replies: Raw replies; those of other models, weights and prompts are ignored. Readings made before are reused.
            trained_biases: Names of the biases trained on, with or without a version; by default those of the arms.
            notes: What the folder stores besides pairs and replies.
            level: Nominal coverage of all intervals.
            seed: Seed of the bootstrap of ratios.

        Raises:
            BadInput: Two arms share a label or a model, or one arm answered under two settings.
        """
        from unsway.judging.requests import request_readings
        from unsway.stats.estimates import cells
        from unsway.stats.outcome_table import OutcomeTable, ReadReplies

        arms, pairs = tuple(arms), tuple(pairs)
        trained_biases = tuple(trained_biases) or tuple(dict.fromkeys(name for arm in arms for name in arm.trained))
        data = replies if isinstance(replies, ReadReplies) else ReadReplies(reply_index(arms, replies, notes.instead))
        rows = data.outcomes or OutcomeTable.read(pairs, data.index, request_readings(notes.verdicts), notes.stopped)
        left_out = (*notes.skipped, *_count_unasked(arms, pairs, rows))
        empty = cls(
            title, arms, trained_biases, pairs, data.index, rows, (), (), (), (), (), left_out, notes.about, notes
        )
        return replace(
            empty,
            cells=cells(rows, level=level),
            cells_by_source=cells(rows, by=("arm", "bias", "source"), level=level),
            overall=cells(rows, by=("arm",), level=level),
            **_compare_with_bases(empty, level, seed),
            level=level,
        )

    @property
    def base(self) -> Arm | None:
        """The first base, or None; a study of several models has one base each (`base_of`)."""
        return next((arm for arm in self.arms if arm.role == "base"), None)

    def base_of(self, arm: Arm) -> Arm | None:
        """The base that an arm is compared with: its own model's. None if there is none, or it is not known which."""
        return base_of(self.arms, arm)

    @property
    def biases(self) -> tuple[str, ...]:
        """`name@version` of every bias: trained ones first, then in the order of the pairs."""
        biases = dict.fromkeys(pair.bias for pair in self.pairs) or dict.fromkeys(cell.bias for cell in self.cells)
        return tuple(sorted(biases, key=lambda bias: not self.is_trained(bias)))

    @property
    def sources(self) -> tuple[str, ...]:
        """`name@revision` of every source, in the order of the pairs."""
        return tuple(dict.fromkeys(pair.question.source for pair in self.pairs))

    def is_trained(self, bias: str, arm: Arm | None = None) -> bool:
        """Whether an arm (by default: any arm) was trained on this bias, in any version."""
        return plain_name(bias) in {plain_name(name) for name in (self.taught(arm) if arm else self.trained_biases)}

    def taught(self, arm: Arm) -> tuple[str, ...]:
        """Names of the biases an arm was trained on; for a base or a control, those of the study. Empty if unknown."""
        unknown = arm.role == "trained" and any(other.trained for other in self.arms)
        return arm.trained or (() if unknown else self.trained_biases)

    def trained_on(self, bias: str) -> tuple[Arm, ...] | None:
        """The trained arms that were trained on this bias; None if that is all of them or none."""
        arms = [arm for arm in self.arms if arm.role == "trained"]
        matches = tuple(arm for arm in arms if self.is_trained(bias, arm))
        return matches if 0 < len(matches) < len(arms) else None

    def arm(self, label: str) -> Arm:
        """Return the arm with that label. Raises `UnknownName`."""
        for arm in self.arms:
            if arm.label == label:
                return arm
        raise UnknownName("arm", label, (arm.label for arm in self.arms))

    @property
    def model(self) -> ModelLike:
        """The measured model as it was given; for a folder, the name of its first arm. Raises `BadInput` without arms."""
        return self.measured.model if self.measured else first_of(self.arms).model

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions, each once, in the order of the pairs."""
        return tuple({pair.question.id: pair.question for pair in self.pairs}.values())

    def bias(self, name: str) -> str:
        """`name@version` of a bias, by its name with or without a version.

        Raises `UnknownName` if it was not measured, and `BadInput` if it was measured in several versions.
        """
        matches = [bias for bias in self.biases if name in (bias, plain_name(bias))]
        if not matches:
            raise UnknownName("bias that was measured", name, [plain_name(bias) for bias in self.biases])
        if len(matches) > 1:
            raise BadInput(f"{name!r} was measured in several versions: {', '.join(matches)}. Name one of them.")
        return matches[0]

    def __getitem__(self, wanted: str | tuple[str, str]) -> Cell:
        """The numbers under one bias: `results["post_hoc"]`; of one arm: `results["post_hoc", "bct"]`. Raises as `cell`."""
        name, label = wanted if isinstance(wanted, tuple) else (wanted, first_of(self.arms).label)
        cell = self.cell(self.arm(label), name)
        if cell is None:
            names = [cell.bias for cell in self.cells if cell.arm == self.arm(label).key]
            raise UnknownName(f"bias that {label} was asked", name, names)
        return cell

    def __iter__(self) -> Iterator[str]:
        """Iterate over the plain names of the measured biases, the keys of `[...]`."""
        return iter(dict.fromkeys(map(plain_name, self.biases)))

    def __contains__(self, bias: object) -> bool:
        """Whether a bias was measured, by its name with or without a version."""
        return bias in (*self, *self.biases)

    def __add__(self, other: Results) -> Results:
        """Merge two results: arms, pairs and replies together, numbers recomputed at the first's level. Raises as `build`."""
        arms = join_arms((*self.arms, *other.arms))
        bases = [arm for arm in arms if arm.role == "base"]
        if len(bases) == 1:
            arms = tuple(replace(arm, of=arm.of or bases[0].model) for arm in arms)
        ours, theirs = self.notes, other.notes
        notes = Notes(
            tuple(dict.fromkeys((*ours.skipped, *theirs.skipped))),
            ours.stopped | theirs.stopped,
            {k: {**ours.instead.get(k, {}), **theirs.instead.get(k, {})} for k in (*ours.instead, *theirs.instead)},
            {**theirs.about, **ours.about},
            (*ours.verdicts, *theirs.verdicts),
            (*ours.labels, *theirs.labels),
            ours.labelled if ours.labelled == theirs.labelled else "",
            (*ours.judging, *theirs.judging),
            ours.panel or theirs.panel,
            ours.expected or theirs.expected,
            ours.decisions or theirs.decisions,
            thoughts=(*ours.thoughts, *theirs.thoughts),
        )
        merged = Results.build(
            self.title,
            arms,
            {pair.id: pair for pair in (*self.pairs, *other.pairs)}.values(),
            dict.fromkeys((*self.index.replies, *other.index.replies)),
            trained_biases=dict.fromkeys((*self.trained_biases, *other.trained_biases)),
            notes=notes,
            level=self.level,
        )
        return replace(merged, measured=self.measured and self.measured.beside(other.measured))

    def cell(self, arm: Arm, bias: str) -> Cell | None:
        """The numbers of one arm under one bias, all sources together; None if the arm was not asked it.

        Raises `UnknownName` if the bias was not measured.
        """
        versioned = self.bias(bias)
        return next((cell for cell in self.cells if (cell.arm, cell.bias) == (arm.key, versioned)), None)

    def ratio(self, arm: Arm, bias: str) -> Estimate | None:
        """BRR of the arm over BRR of the base; None for the base itself. Raises as `cell`."""
        versioned = self.bias(bias)
        return next((row.estimate for row in self.ratios if (row.arm, row.bias) == (arm.label, versioned)), None)

    def reply(self, arm: ArmKey, prompt: Prompt, sample: int = 0) -> Reply | None:
        """An arm's reply to a prompt, or to the prompt it was asked instead; None if it was not asked."""
        return self.index.reply(arm, prompt, sample)

    @property
    def replies(self) -> tuple[Reply, ...]:
        """The replies of all arms, raw, arm by arm."""
        return tuple(reply for arm in self.arms for reply in self.replies_of(arm))

    def said_by(self, arm: Arm) -> ReplyTable:
        """An arm's replies as columns without texts: all that a report needs about them."""
        from unsway.stats.reply_table import arm_replies

        return arm_replies(self.index, arm.key, (prompt for pair in self.pairs for prompt in (pair.clean, pair.biased)))

    def replies_of(self, arm: Arm) -> tuple[Reply, ...]:
        """The replies of an arm to the study's prompts, or to the prompts asked instead, each once."""
        prompts = {prompt.id: prompt for pair in self.pairs for prompt in (pair.clean, pair.biased)}
        return tuple(reply for prompt in prompts.values() for reply in self.index.samples(arm.key, prompt).values())

    def __repr__(self) -> str:
        """The headline, the table and the footnotes, for a terminal."""
        return str(views.get("terminal")(self))

    def _repr_html_(self) -> str:
        """The headline and the table, for notebooks."""
        return str(views.get("notebook")(self))

    def markdown(self) -> str:
        """The headline, the table and the footnotes in Markdown."""
        return str(views.get("markdown")(self))

    _repr_markdown_ = markdown

    def frame(self) -> Any:
        """The table as a pandas or polars data frame, whichever is installed: one row for each arm, bias and source."""
        return views.get("frame")(self)

    def chart(self, name: str = "brr", **options: Any) -> alt.VConcatChart:
        """One chart of the report as an Altair object, to restyle; see `unsway.reporting.charts.chart`."""
        chart: alt.VConcatChart = views.get("chart")(self, name, **options)
        return chart


def _count_unasked(arms: Iterable[Arm], pairs: Iterable[Pair], table: OutcomeTable) -> Iterator[SkippedCount]:
    """Count the pairs that an arm was not asked yet, for biases it was asked in part; its numbers cover only the rest."""
    ids_of: dict[str, set[str]] = {}
    for pair in pairs:
        ids_of.setdefault(pair.bias, set()).add(pair.id)
    n_asked_of = {(part[0].arm, part[0].bias): len(part.distinct("pair_id")) for part in table.split(("arm", "bias"))}
    for arm in arms:
        why = f"not asked of {arm.label} (yet{', or it has no prompt for them' if arm.intervention else ''})"
        for bias, ids in ids_of.items():
            if 0 < (n_asked := n_asked_of.get((arm.key, bias), 0)) < len(ids):
                yield SkippedCount(bias, why, len(ids) - n_asked)


def _compare_with_bases(results: Results, level: float, seed: int) -> dict[str, Any]:
    """The BRR ratio of every arm to its base, bias by bias, and the average over the biases it was not trained on."""
    from unsway.stats.compare import brr_ratio, held_out_means, held_out_ratio

    ratios, held_out = [], []
    for arm in results.arms:
        base = results.base_of(arm)
        if base is None or arm.role == "base":
            continue
        ours, theirs = (results.outcomes.only(arm=either.key) for either in (arm, base))
        for bias in results.biases:
            outcomes = (table.only(bias=bias) for table in (ours, theirs))
            ratios.append(Ratio(arm.label, bias, brr_ratio(*outcomes, level=level, seed=seed)))
        untaught = frozenset(bias for bias in results.biases if not results.is_trained(bias, arm))
        if untaught and len(untaught) < len(results.biases):
            ours, theirs = (table.only(bias=untaught) for table in (ours, theirs))
            numbers = (f(ours, theirs, level=level, seed=seed) for f in (held_out_ratio, held_out_means))
            held_out.append(HeldOut(arm.label, *chain(*numbers)))
    return {"ratios": tuple(ratios), "held_out": tuple(held_out)}
