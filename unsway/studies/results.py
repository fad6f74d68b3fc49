"""A finished study as one value: what was asked of which models, what they said, and every number that follows.

In: arms, pairs and replies. Out: `Results`, which the table, the page and the notebook show. Nothing is asked here and
nothing is decided here: outcomes and estimates are those of `unsway.stats`.
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
from unsway.studies.arms import Arm, base_of, first_of, joined, reply_index
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
    """Mean over biases of the BRR ratio, printed beside it."""
    mean: Estimate
    """Mean BRR of the arm."""
    base_mean: Estimate
    """Mean BRR of the base under the same biases; where its interval is not above 0, the ratio of means is refused."""


class SkippedCount(NamedTuple):
    """Questions that a bias could not be put to."""

    bias: str
    """`name@version`."""
    reason: str
    n: int
    """Questions."""


views: Registry[Callable[..., Any]] = Registry("view of results", "unsway.reporting", Callable)
"""How results show themselves, by name; `unsway.reporting.display` declares terminal, markdown, notebook and chart."""


@dataclass(frozen=True, slots=True)
class Notes:
    """What a study's folder notes beside its pairs and replies."""

    skipped: tuple[SkippedCount, ...] = ()
    """Questions that a bias could not be put to."""
    stopped: frozenset[tuple[str, str]] = frozenset()
    """Models and biases that were not asked to the end. A pair asked only on its clean side then counts as not asked, not
    as missing."""
    instead: Mapping[ArmKey, Mapping[str, str]] = field(default_factory=dict)
    """For arms under an intervention, or with a template's own system prompt: id of a prompt to that of the one asked."""
    about: Mapping[str, str] = field(default_factory=dict)
    """What is needed to run it again, and what it cost: versions, seeds, commands, durations, dollars."""
    verdicts: tuple[Verdict, ...] = ()
    """What judges said of the replies (`unsway judge`), and what a second reader read (`unsway reread --second-reader`)."""
    labels: tuple[Verdict, ...] = ()
    """What people said of them (`unsway label`)."""
    labelled: str = ""
    """Which replies people were shown: `all` is a random sample of the biased ones; empty where nobody says."""
    judging: tuple[JudgeCost, ...] = ()
    """What each model read and wrote as a judge."""
    panel: EffectPanel | None = None
    """What the trainings cost or broke (`unsway effects`); None where nobody asked."""
    expected: ForecastHistory | None = None
    """Forecasts of its numbers and what came of them; None where nothing was forecast."""
    decisions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Lines on the decisions of the project under Decided and Next, as they stood when the report was made."""
    thoughts: tuple[ThoughtTest, ...] = ()
    """What became of answers when the reasoning before them was changed (`unsway interrogate`)."""


def plain_name(versioned: str) -> str:
    """The name without its version: `suggested_answer@1` is `suggested_answer`."""
    return Ref.parse(versioned).unversioned


@dataclass(frozen=True, slots=True)
class Results:
    """Everything a report shows. Fractions inside; percent is made where a person reads."""

    title: str
    arms: tuple[Arm, ...]
    """The base first."""
    trained_biases: tuple[str, ...]
    """Names of the biases that were trained on; every other one is held out."""
    pairs: tuple[Pair, ...] = field(repr=False)
    index: ReplyIndex = field(repr=False, compare=False)
    """The replies of the arms; `reply` and `replies_of` look them up."""
    outcomes: OutcomeTable = field(repr=False)
    cells: tuple[Cell, ...] = field(repr=False)
    """One for each arm and bias, all sources together."""
    cells_by_source: tuple[Cell, ...] = field(repr=False)
    """One for each arm, bias and source."""
    overall: tuple[Cell, ...] = field(repr=False)
    """One for each arm, all biases and sources together."""
    ratios: tuple[Ratio, ...] = field(repr=False)
    held_out: tuple[HeldOut, ...] = field(repr=False)
    skipped: tuple[SkippedCount, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)
    """What is needed to run it again, and what it cost: versions, seeds, commands, durations, dollars."""
    notes: Notes = field(default_factory=Notes, repr=False, compare=False)
    """What the folder notes beside pairs and replies."""
    measured: MeasuredWith | None = field(default=None, repr=False, compare=False)
    """What it was measured with, where `unsway.measure` made it."""
    level: float = 0.95
    """Nominal coverage of every interval."""

    def __post_init__(self) -> None:
        from unsway.stats.outcome_table import OutcomeTable

        object.__setattr__(self, "outcomes", OutcomeTable.of(self.outcomes))  # frozen; given as any sequence
        for what in ("label", "name"):
            names = [getattr(arm, what) for arm in self.arms]
            if len(set(names)) < len(names):
                raise BadInput(
                    f"Two arms have the same {'model' if what == 'name' else what}: {names}. Each arm needs its own."
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
            title: What the study is called.
            arms: The models; ratios compare with the one whose role is base.
            pairs: What was asked.
            replies: What was said, raw; other models, weights and prompts are ignored. What was read is not read again.
            trained_biases: Names of the biases trained on, with or without a version; those of the arms where none is given.
            notes: What the folder notes beside them.
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
        kept = replies if isinstance(replies, ReadReplies) else ReadReplies(reply_index(arms, replies, notes.instead))
        outs = kept.outcomes or OutcomeTable.read(pairs, kept.index, request_readings(notes.verdicts), notes.stopped)
        left_out = (*notes.skipped, *_not_asked(arms, pairs, outs))
        empty = cls(
            title, arms, trained_biases, pairs, kept.index, outs, (), (), (), (), (), left_out, notes.about, notes
        )
        return replace(
            empty,
            cells=cells(outs, level=level),
            cells_by_source=cells(outs, by=("arm", "bias", "source"), level=level),
            overall=cells(outs, by=("arm",), level=level),
            **_against_bases(empty, level, seed),
            level=level,
        )

    @property
    def base(self) -> Arm | None:
        """The arm that the others are compared with."""
        return next((arm for arm in self.arms if arm.role == "base"), None)

    def base_of(self, arm: Arm) -> Arm | None:
        """The base that an arm is compared with: its own model's. None where there is none, or nobody knows which."""
        return base_of(self.arms, arm)

    @property
    def biases(self) -> tuple[str, ...]:
        """`name@version` of every bias: trained ones first, then in the order of the pairs."""
        seen = dict.fromkeys(pair.bias for pair in self.pairs) or dict.fromkeys(cell.bias for cell in self.cells)
        return tuple(sorted(seen, key=lambda bias: not self.is_trained(bias)))

    @property
    def sources(self) -> tuple[str, ...]:
        """`name@revision` of every source, in the order of the pairs."""
        return tuple(dict.fromkeys(pair.question.source for pair in self.pairs))

    def is_trained(self, bias: str, arm: Arm | None = None) -> bool:
        """Whether this arm (any, where none is named) was trained on this bias, whatever its version."""
        return plain_name(bias) in {plain_name(name) for name in (self.taught(arm) if arm else self.trained_biases)}

    def taught(self, arm: Arm) -> tuple[str, ...]:
        """Names of the biases that an arm was trained on, or a control's fellows; empty where nobody knows."""
        unknown = arm.role == "trained" and any(one.trained for one in self.arms)
        return arm.trained or (() if unknown else self.trained_biases)

    def trained_on(self, bias: str) -> tuple[Arm, ...] | None:
        """The trained arms that were trained on this bias, where others were not; None where they are all alike."""
        arms = [arm for arm in self.arms if arm.role == "trained"]
        taught = tuple(arm for arm in arms if self.is_trained(bias, arm))
        return taught if 0 < len(taught) < len(arms) else None

    def arm(self, label: str) -> Arm:
        """The arm of that label. Raises `UnknownName`."""
        for arm in self.arms:
            if arm.label == label:
                return arm
        raise UnknownName("arm", label, (arm.label for arm in self.arms))

    @property
    def model(self) -> ModelLike:
        """The model that was measured, as it was given; of a folder the name of its first arm. Raises `BadInput`."""
        return self.measured.model if self.measured else first_of(self.arms).model

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions, each once, in the order of the pairs."""
        return tuple({pair.question.id: pair.question for pair in self.pairs}.values())

    def bias(self, name: str) -> str:
        """`name@version` of a bias, by its name with or without a version.

        Raises `UnknownName` where it was not measured, and `BadInput` where it was in several versions.
        """
        found = [bias for bias in self.biases if name in (bias, plain_name(bias))]
        if not found:
            raise UnknownName("bias that was measured", name, [plain_name(bias) for bias in self.biases])
        if len(found) > 1:
            raise BadInput(f"{name!r} was measured in several versions: {', '.join(found)}. Name one of them.")
        return found[0]

    def __getitem__(self, wanted: str | tuple[str, str]) -> Cell:
        """The numbers under one bias: `found["post_hoc"]`, `found["post_hoc", "bct"]` of an arm. Raises as `cell`."""
        name, label = wanted if isinstance(wanted, tuple) else (wanted, first_of(self.arms).label)
        found = self.cell(self.arm(label), name)
        if found is None:
            known = [cell.bias for cell in self.cells if cell.arm == self.arm(label).key]
            raise UnknownName(f"bias that {label} was asked", name, known)
        return found

    def __iter__(self) -> Iterator[str]:
        """The plain names of the biases that were measured, by which numbers are looked up."""
        return iter(dict.fromkeys(map(plain_name, self.biases)))

    def __contains__(self, bias: object) -> bool:
        """Whether a bias was measured, by its name with or without a version."""
        return bias in (*self, *self.biases)

    def __add__(self, other: Results) -> Results:
        """Both as one study: arms, pairs and replies together, every number anew, at the first level. Raises as `build`."""
        arms = joined((*self.arms, *other.arms))
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
        both = Results.build(
            self.title,
            arms,
            {pair.id: pair for pair in (*self.pairs, *other.pairs)}.values(),
            dict.fromkeys((*self.index.replies, *other.index.replies)),
            trained_biases=dict.fromkeys((*self.trained_biases, *other.trained_biases)),
            notes=notes,
            level=self.level,
        )
        return replace(both, measured=self.measured and self.measured.beside(other.measured))

    def cell(self, arm: Arm, bias: str) -> Cell | None:
        """The numbers of one arm under one bias, all sources together; None where that arm was not asked it.

        Raises `UnknownName` where the bias was not measured.
        """
        versioned = self.bias(bias)
        return next((cell for cell in self.cells if (cell.arm, cell.bias) == (arm.key, versioned)), None)

    def ratio(self, arm: Arm, bias: str) -> Estimate | None:
        """BRR of the arm over BRR of the base; None for the base itself. Raises as `cell`."""
        versioned = self.bias(bias)
        return next((one.estimate for one in self.ratios if (one.arm, one.bias) == (arm.label, versioned)), None)

    def reply(self, arm: ArmKey, prompt: Prompt, sample: int = 0) -> Reply | None:
        """What an arm said to a prompt, or to the prompt that it was asked instead; None where it was not asked."""
        return self.index.reply(arm, prompt, sample)

    @property
    def replies(self) -> tuple[Reply, ...]:
        """The replies of all arms, raw, arm by arm."""
        return tuple(reply for arm in self.arms for reply in self.replies_of(arm))

    def said_by(self, arm: Arm) -> ReplyTable:
        """The same as columns, without their texts: what a report says of all replies."""
        from unsway.stats.reply_table import said_by

        return said_by(self.index, arm.key, (prompt for pair in self.pairs for prompt in (pair.clean, pair.biased)))

    def replies_of(self, arm: Arm) -> tuple[Reply, ...]:
        """The replies of an arm to the prompts of the study, or to those asked instead, each once."""
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
        """The table as a data frame of pandas or polars, whichever is installed: one row for each arm, bias and source."""
        return views.get("frame")(self)

    def chart(self, name: str = "brr", **options: Any) -> alt.VConcatChart:
        """One chart of the report as an Altair object, to restyle; see `unsway.reporting.charts.chart`."""
        drawn: alt.VConcatChart = views.get("chart")(self, name, **options)
        return drawn


def _not_asked(arms: Iterable[Arm], pairs: Iterable[Pair], outs: OutcomeTable) -> Iterator[SkippedCount]:
    """Pairs that an arm was not asked yet, of biases that it was asked in part: its numbers are those of the rest."""
    wanted: dict[str, set[str]] = {}
    for pair in pairs:
        wanted.setdefault(pair.bias, set()).add(pair.id)
    there = {(part[0].arm, part[0].bias): len(part.distinct("pair_id")) for part in outs.split(("arm", "bias"))}
    for arm in arms:
        why = f"not asked of {arm.label} (yet{', or it has no prompt for them' if arm.intervention else ''})"
        for bias, ids in wanted.items():
            if 0 < (n_asked := there.get((arm.key, bias), 0)) < len(ids):
                yield SkippedCount(bias, why, len(ids) - n_asked)


def _against_bases(results: Results, level: float, seed: int) -> dict[str, Any]:
    """The BRR ratio of every arm to its base, bias by bias, and the average over the biases it was not trained on."""
    from unsway.stats.compare import brr_ratio, held_out_means, held_out_ratio

    ratios, held_out = [], []
    for arm in results.arms:
        base = results.base_of(arm)
        if base is None or arm.role == "base":
            continue
        ours, theirs = (results.outcomes.only(arm=one.key) for one in (arm, base))
        for bias in results.biases:
            both = (side.only(bias=bias) for side in (ours, theirs))
            ratios.append(Ratio(arm.label, bias, brr_ratio(*both, level=level, seed=seed)))
        untaught = frozenset(bias for bias in results.biases if not results.is_trained(bias, arm))
        if untaught and len(untaught) < len(results.biases):
            ours, theirs = (side.only(bias=untaught) for side in (ours, theirs))
            numbers = (f(ours, theirs, level=level, seed=seed) for f in (held_out_ratio, held_out_means))
            held_out.append(HeldOut(arm.label, *chain(*numbers)))
    return {"ratios": tuple(ratios), "held_out": tuple(held_out)}
