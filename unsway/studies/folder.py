"""A study's folder: what was asked, which models, and every reply, so a report needs no model.

In: a folder. Out: `Results`. The folder holds `questions.jsonl`, `pairs.jsonl`, whose rows refer to them, `replies.jsonl`
(written by `unsway.sampling`), `arms.json`, and `asked.jsonl` if interventions replaced prompts.
Measuring more into the same folder adds to it; only rows with the same name are replaced.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from unsway import layout
from unsway.disk import exclusive, write_text
from unsway.effects.results import kept_panel
from unsway.errors import BadInput, BadRow, path_of
from unsway.pairing import PairSet
from unsway.progress import duration
from unsway.registry import Ref
from unsway.sampling.remote import linked
from unsway.stats.outcomes import ReplyIndex
from unsway.store import read_json, read_jsonl, read_manifest, replies_in, write_jsonl
from unsway.studies import first_edition
from unsway.studies.arms import Arm, ArmRole, reply_index, told_apart
from unsway.studies.results import Notes, Results, SkippedCount
from unsway.studies.whereabouts import in_words, places
from unsway.types import ArmKey, Pair, Prompt, Question, Rule, Settings, Target, ThoughtTest, Verdict

if TYPE_CHECKING:
    from unsway.judging.trust import JudgeCost

RANK: dict[ArmRole, int] = {"base": 0, "prompted": 1, "control": 2, "trained": 3}
"""Order of arms: baselines come first."""


@dataclass(frozen=True, slots=True)
class Instead:
    """A prompt that was asked instead of another, under an intervention."""

    arm: ArmKey
    """The arm that was asked."""
    prompt_id: str
    """Id of the pair's prompt."""
    asked_id: str
    """Id of the prompt that was asked instead."""


@dataclass(frozen=True, slots=True)
class PairRow:
    """A `Pair` as stored in `pairs.jsonl`; its question is stored in `questions.jsonl`."""

    id: str
    question: str | Question
    """Id of the question; the question itself in folders of the first edition, and if another question has the same id."""
    bias: str
    elicit: str
    clean: Prompt
    biased: Prompt
    target: Target
    order: tuple[int, ...]
    seed: int
    rule: Rule | None = None
    """How the pair is counted; None in folders of the first edition, which left it to the bias."""
    drawn: Mapping[str, str] = field(default_factory=dict)


def keep(folder: str | Path, asked: PairSet, arm: Arm, instead: Mapping[str, str] | None = None) -> None:
    """Note in the folder what an arm was asked; the pairs are added to the existing ones.

    Args:
        folder: The study's folder.
        asked: What was asked.
        arm: The arm that was asked; an arm with the same label is replaced.
        instead: See `note_arm`.
    """
    add_pairs(folder, asked)
    note_arm(folder, arm, instead)


def add_pairs(folder: str | Path, asked: PairSet) -> tuple[Pair, ...]:
    """Add pairs to those of a folder and return all; the new skip counts replace earlier ones."""
    place = Path(folder)
    with exclusive(place):
        pairs = tuple(({pair.id: pair for pair in pairs_of(place)} | {pair.id: pair for pair in asked}).values())
        if any(pair.rule.redacted for pair in pairs):
            place.chmod(0o700)  # replies to harmful requests must not be readable by other users of this machine
        write_pairs(place, pairs)
        write_arms(place, arms_of(place), counted(asked) if asked.skipped else _skipped(place))
    return pairs


def note_arm(folder: str | Path, arm: Arm, instead: Mapping[str, str] | None = None) -> None:
    """Note an arm in the folder, replacing any earlier note of it and any arm with the same label and base model.

    Args:
        folder: The study's folder.
        arm: The arm.
        instead: Maps the id of a prompt to the id of the prompt actually asked, under an intervention or a template's own
            system prompt. If the same arm is noted already, this is added (for other parts of a study).

    Raises:
        BadInput: Outside a study, another model has already replied under that label; its numbers would disappear.
    """
    place, new = Path(folder), instead or {}
    if (to := linked(place)) is not None:
        to.call("note_arm", arm, dict(new))
        return
    with exclusive(place):
        noted = arms_of(place)
        before = next((one for one in noted if one.key == arm.key), arm)
        arm = replace(before, settings=arm.settings) if before.of and not arm.of else arm  # as its study noted it
        namesakes = {
            (one.model, one.weights): one
            for one in noted
            if one.label == arm.label and one.key != arm.key and not (one.of or arm.of)
        }
        replies = replies_in(place / layout.REPLIES) if namesakes else ()
        other = next((namesakes[who] for reply in replies if (who := (reply.model, reply.weights)) in namesakes), None)
        if other is not None:
            differs = "has other weights or another address" if other.key.name == arm.name else f"is {arm.name}"
            raise BadInput(
                f"{str(place)!r} holds replies of {other.name} under the label {arm.label!r}, and the model asked for now "
                f"{differs}. Give this one a label of its own (--label), or measure into another folder."
            )
        is_again = before in noted and replace(before, label=arm.label) == arm
        alike = [one for one in noted if one.key == arm.key and not (one.of and arm.of)]  # two of a study stay separate
        same = [*alike, *(one for one in noted if (one.of, one.label) == (arm.of, arm.label))]
        write_arms(place, dict.fromkeys(arm if one in same else one for one in (*noted, arm)), _skipped(place))
        kept = (one for one in _asked(place) if one.arm != arm.key or (is_again and one.prompt_id not in new))
        if rows := [*kept, *(Instead(arm.key, *ids) for ids in new.items())]:
            write_jsonl(place / layout.ASKED, rows)


def forget_arm(folder: str | Path, arm: Arm) -> None:
    """Remove an arm that gave no reply, so a mistyped name or a missing key leaves nothing behind."""
    place = Path(folder)
    if (to := linked(place)) is not None:
        to.store.send()
        to.call("forget_arm", arm)
        return
    with exclusive(place):
        own = {now for was, now in instead_of(place).get(arm.key, {}).items() if now != was}
        kept = replies_in(place / layout.REPLIES)
        said = (one.prompt_id for one in kept if (one.model, one.weights) == (arm.model, arm.weights))
        if not any(not arm.intervention or prompt in own for prompt in said):
            write_arms(place, (one for one in arms_of(place) if one.key != arm.key), _skipped(place))


def settings_of(folder: str | Path, arm: ArmKey) -> Settings | None:
    """How an arm's replies in a folder were decoded; None if the arm is not noted, or has no settings noted."""
    return next((one.settings for one in arms_of(Path(folder)) if one.key == arm), None)


def check_asked_alike(folder: str | Path, arm: ArmKey, settings: Settings, elicits: Iterable[str]) -> None:
    """Refuse to measure an arm whose replies in the folder had another elicitation or other settings.

    Args:
        folder: The study's folder.
        arm: The arm that will be asked.
        settings: How its replies will be decoded.
        elicits: `name@version` of every elicitation that it will be asked; must include those asked before.

    Raises:
        BadInput: The new replies would replace its earlier numbers, or be pooled with them.
    """
    place = Path(folder)
    noted = [one for one in arms_of(place) if one.key == arm]
    if not noted:
        return
    index, before = index_of(place, noted), noted[0].settings
    if before is not None and settings.letter_begins is None:  # the model decides this, not the user
        settings = replace(settings, letter_begins=before.letter_begins)
    answered = {pair.elicit for pair in pairs_of(place) if index.samples(arm, pair.biased)}
    if not answered:
        return
    what = f"{str(place)!r} holds replies of {arm.name}"
    if before is not None and before != settings:
        then, now = before.apart(settings), settings.apart(before)
        raise BadInput(
            f"{what} with {then}; asked for now: {now}. One arm has one way of decoding: measure with {then} again, or into "
            "another folder."
        )
    missing, asked = answered - set(elicits), ", ".join(sorted(elicits))
    if missing:
        both = ",".join(sorted(Ref.parse(each).unversioned for each in {*missing, *elicits}))
        raise BadInput(
            f"{what} to prompts of the elicitation {', '.join(sorted(missing))}; asked for now: {asked}. One arm's number is "
            f"of one way of asking: measure into another folder, or pool them with `--elicit {both}`."
        )


def write_pairs(folder: str | Path, pairs: Iterable[Pair]) -> None:
    """Write the pairs of a folder and their questions, replacing those stored before."""
    all_pairs = tuple(pairs)
    questions: dict[str, Question] = {}
    rows = []
    for pair in all_pairs:
        question = questions.setdefault(pair.question.id, pair.question)
        values = {name: getattr(pair, name) for name in _PAIR_FIELDS}
        # a question with the same id from another source, or with another gold option, is stored in its own rows
        rows.append(PairRow(**values | {"question": question.id if question == pair.question else pair.question}))
    sources = sorted({question.source for question in questions.values()})
    write_jsonl(Path(folder) / layout.QUESTIONS, questions.values(), sources=sources)
    write_jsonl(Path(folder) / layout.PAIRS, rows, biases=sorted({pair.bias for pair in all_pairs}))


def write_arms(folder: str | Path, arms: Iterable[Arm], skipped: Iterable[SkippedCount]) -> None:
    """Write the arms of a folder, replacing those stored before."""
    body = {"edition": first_edition.NOW, "arms": [*map(asdict, arms)], "skipped": [one._asdict() for one in skipped]}
    write_text(Path(folder) / layout.ARMS, json.dumps(body, indent=2) + "\n")


def study_folder(folder: str | Path) -> Path:
    """Return the folder as a path. Raises `BadInput` if nothing was measured in it."""
    place = path_of(folder, "a study is expected: Results, or the path of its folder")
    if not (place / layout.ARMS).is_file():
        raise BadInput(
            f"{str(place)!r} holds no study ({layout.ARMS} is missing). `unsway measure … --out {place}` makes one; "
            "`unsway ls` lists folders that do."
        )
    return place


def study_of(found: Results | str | Path, folder: str | Path | None) -> tuple[Results, str | Path | None]:
    """Return the study (read if given as a folder), and the folder for its verdicts: its own unless another is named."""
    return (found, folder) if isinstance(found, Results) else (results(found), found if folder is None else folder)


def results(
    folder: str | Path,
    *,
    title: str = "",
    trained_biases: Iterable[str] = (),
    about: Mapping[str, str] | None = None,
    level: float = 0.95,
) -> Results:
    """Return everything a report shows, read from a folder. Raises `BadInput` if the folder holds no study."""
    from unsway.judging.label_store import LabelStore
    from unsway.planning.history import past_runs
    from unsway.sampling.until import kept_precisions
    from unsway.stats.outcome_table import ReadReplies
    from unsway.studies.kept_columns import keep_columns, kept_columns, stamp, uncollected
    from unsway.studies.scoring import kept_history  # imports numpy, which reading only names and arms does not need

    place = study_folder(folder)
    labels = LabelStore(place).labels() if (place / layout.LABEL_ROWS).exists() else ()
    made_of, pairs = stamp(place), pairs_of(place)
    arms = sorted(arms_of(place), key=lambda arm: RANK[arm.role])
    made = read_manifest(place / layout.PAIRS) or {}
    noted = {name: str(made[name]) for name in ("unsway", "python") if name in made}
    seconds: dict[str, list[float]] = {}
    for run in past_runs(place):
        seconds.setdefault(run.model, []).append(run.seconds)
    if seconds:
        noted["asked in"] = "; ".join(f"{model}: {duration(sum(took))}" for model, took in seconds.items())
    if where := in_words(places(place)):
        noted["ran on"] = where
    with uncollected():
        kept = kept_columns(place, pairs, made_of)
        found = Results.build(
            title or place.resolve().name,
            told_apart(arms),
            pairs,
            ReadReplies(index_of(place, arms), kept),
            trained_biases=trained_biases,
            notes=Notes(
                tuple(_skipped(place)),
                frozenset((cell.model, cell.bias) for cell in kept_precisions(place) if cell.n_asked < cell.n_there),
                instead_of(place),
                {**(about or {}), **noted},
                (*kept_verdicts(place, layout.SECOND_READINGS), *kept_verdicts(place)),
                labels,
                str((read_manifest(place / layout.LABEL_ITEMS) or {}).get("which", "")) if labels else "",
                tuple(judge_costs(place)),
                kept_panel(place),
                kept_history(place),
                thoughts=kept_tests(place),
            ),
            level=level,
        )
    if made_of and kept is None:
        keep_columns(place, found.outcomes, pairs, made_of)
    return found


def judge_costs(place: Path) -> Iterator[JudgeCost]:
    """Tokens and cost of each model that judged a folder's replies."""
    from unsway.planning.prices import cost_of, prices

    for path in sorted((place / layout.JUDGES).glob(f"*/{layout.REPLIES}")):
        replies = [*replies_in(path)]
        if replies:
            from unsway.judging.trust import JudgeCost  # which takes half a second to import

            model, n_unknown = replies[0].model, sum(not r.tokens_in for r in replies)
            tokens_in, tokens_out = sum(r.tokens_in for r in replies), sum(r.tokens_out for r in replies)
            days = sorted({reply.asked_on for reply in replies} - {""})
            yield JudgeCost(
                model,
                len(replies),
                None if n_unknown else tokens_in,
                None if n_unknown else tokens_out,
                cost_of(model, tokens_in, tokens_out, n_unknown, prices()),
                " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "",
                ", ".join(sorted({reply.reported_model for reply in replies} - {""})),
            )


def kept_verdicts(place: Path, name: str = layout.VERDICTS) -> tuple[Verdict, ...]:
    """Verdicts of judges or a second reader on a folder's replies; none if nobody was asked."""
    path = place / name
    return tuple(read_jsonl(path, Verdict)) if path.exists() else ()


def kept_tests(place: Path) -> tuple[ThoughtTest, ...]:
    """How answers changed when the reasoning before them was changed; none if no such test was run."""
    path = place / layout.INTERROGATED
    return tuple(read_jsonl(path, ThoughtTest)) if path.exists() else ()


def instead_of(place: Path) -> dict[ArmKey, dict[str, str]]:
    """For each arm under an intervention, maps the id of each prompt to the id of the prompt asked instead."""
    found: dict[ArmKey, dict[str, str]] = {}
    for row in _asked(place):
        found.setdefault(row.arm, {})[row.prompt_id] = row.asked_id
    return found


def index_of(place: Path, arms: Sequence[Arm]) -> ReplyIndex:
    """The replies of some arms of a folder, by arm, prompt and sample; those of a large folder stay in their file."""
    from unsway.studies.kept_replies import file_index, is_large  # with numpy

    if is_large(place):
        return file_index(place, arms, instead_of(place))
    return reply_index(arms, replies_in(place / layout.REPLIES), instead_of(place))


def arms_of(place: Path) -> list[Arm]:
    """The arms noted in a folder. Raises `BadInput` if the list is damaged, or of a later edition."""
    noted = read_json(place / layout.ARMS)
    edition = noted.get("edition", int)
    first_edition.check_known(place, edition)
    arms = noted.get("arms", list[Arm]) or []
    return arms if edition is not None else [first_edition.arm_of(arm) for arm in arms]


def _asked(place: Path) -> tuple[Instead, ...]:
    path = place / layout.ASKED
    if not path.exists():
        return ()
    if first_edition.has_key(path, "arm"):
        return tuple(read_jsonl(path, Instead))
    keys = {arm.name: arm.key for arm in arms_of(place)}
    return tuple(
        Instead(keys[name], prompt_id, asked_id)
        for name, prompt_id, asked_id in read_jsonl(path, tuple[str, str, str])
        if name in keys
    )


def _skipped(place: Path) -> list[SkippedCount]:
    return read_json(place / layout.ARMS).get("skipped", list[SkippedCount]) or []


def counted(asked: PairSet) -> list[SkippedCount]:
    """How many questions were skipped for each bias, by reason."""
    return [SkippedCount(bias, reason, n) for (bias, reason), n in asked.reasons().items()]


_PAIR_FIELDS = tuple(each.name for each in fields(PairRow))


def pairs_of(place: Path) -> tuple[Pair, ...]:
    """The pairs of a folder; none if it holds none. Raises `BadRow` for a damaged row."""
    path = place / layout.PAIRS
    if not path.exists():
        return ()
    beside, questions = place / layout.QUESTIONS, dict[str, Question]()
    inline: dict[Question, Question] = {}
    clean: dict[Prompt, Prompt] = {}  # all biases of a question share its clean prompt
    pairs = []
    for number, row in enumerate(read_jsonl(path, PairRow), 1):
        if number == 1 and beside.exists():  # read after opening the pairs: writers store questions before pairs
            questions = {q.id: q for q in read_jsonl(beside, Question)}
        question = row.question if isinstance(row.question, Question) else questions.get(row.question)
        if question is None:
            raise BadRow(path, number, "question", f"{row.question!r} is not in {layout.QUESTIONS}")
        n_options = len(question.options)
        if sorted(row.order) != [*range(n_options)]:
            raise BadRow(path, number, "order", f"is {row.order}; it has each of the {n_options} options once")
        values = {name: getattr(row, name) for name in _PAIR_FIELDS}
        values |= {
            "question": question if isinstance(row.question, str) else inline.setdefault(question, question),
            "clean": clean.setdefault(row.clean, row.clean),
        }
        pairs.append(Pair(**values | {"rule": row.rule or first_edition.rule_of(row.bias)}))
    return tuple(pairs)
