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
from unsway.effects.results import find_panel
from unsway.errors import BadInput, BadRow, path_of
from unsway.pairing import PairSet
from unsway.progress import duration
from unsway.registry import Ref
from unsway.sampling.remote import link_of
from unsway.stats.outcomes import ReplyIndex
from unsway.store import read_json, read_jsonl, read_manifest, replies_in, write_jsonl
from unsway.studies import first_edition
from unsway.studies.arms import Arm, ArmRole, add_model_names, reply_index
from unsway.studies.results import Notes, Results, SkippedCount
from unsway.studies.whereabouts import describe_places, places
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


def keep(folder: str | Path, pair_set: PairSet, arm: Arm, instead: Mapping[str, str] | None = None) -> None:
    """Note in the folder what an arm was asked; the pairs are added to the existing ones.

    Args:
        folder: The study's folder.
        pair_set: What was asked.
        arm: The arm that was asked; an arm with the same label is replaced.
        instead: See `note_arm`.
    """
    add_pairs(folder, pair_set)
    note_arm(folder, arm, instead)


def add_pairs(folder: str | Path, pair_set: PairSet) -> tuple[Pair, ...]:
    """Add pairs to those of a folder and return all; the new skip counts replace earlier ones."""
    path = Path(folder)
    with exclusive(path):
        pairs = tuple(({pair.id: pair for pair in pairs_of(path)} | {pair.id: pair for pair in pair_set}).values())
        if any(pair.rule.redacted for pair in pairs):
            path.chmod(0o700)  # replies to harmful requests must not be readable by other users of this machine
        write_pairs(path, pairs)
        write_arms(path, arms_of(path), count_skipped(pair_set) if pair_set.skipped else _read_skipped(path))
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
    path, new = Path(folder), instead or {}
    if (link := link_of(path)) is not None:
        link.call("note_arm", arm, dict(new))
        return
    with exclusive(path):
        arms = arms_of(path)
        earlier = next((old for old in arms if old.key == arm.key), arm)
        arm = replace(earlier, settings=arm.settings) if earlier.of and not arm.of else arm  # as its study noted it
        namesakes = {
            (old.model, old.weights): old
            for old in arms
            if old.label == arm.label and old.key != arm.key and not (old.of or arm.of)
        }
        replies = replies_in(path / layout.REPLIES) if namesakes else ()
        rival = next((namesakes[key] for reply in replies if (key := (reply.model, reply.weights)) in namesakes), None)
        if rival is not None:
            differs = "has other weights or another address" if rival.key.name == arm.name else f"is {arm.name}"
            raise BadInput(
                f"{str(path)!r} holds replies of {rival.name} under the label {arm.label!r}, and the model asked for now "
                f"{differs}. Give this one a label of its own (--label), or measure into another folder."
            )
        is_again = earlier in arms and replace(earlier, label=arm.label) == arm
        twins = [old for old in arms if old.key == arm.key and not (old.of and arm.of)]  # two of a study stay separate
        same = [*twins, *(old for old in arms if (old.of, old.label) == (arm.of, arm.label))]
        write_arms(path, dict.fromkeys(arm if old in same else old for old in (*arms, arm)), _read_skipped(path))
        old_rows = (row for row in _read_asked(path) if row.arm != arm.key or (is_again and row.prompt_id not in new))
        if rows := [*old_rows, *(Instead(arm.key, *ids) for ids in new.items())]:
            write_jsonl(path / layout.ASKED, rows)


def forget_arm(folder: str | Path, arm: Arm) -> None:
    """Remove an arm that gave no reply, so a mistyped name or a missing key leaves nothing behind."""
    path = Path(folder)
    if (link := link_of(path)) is not None:
        link.store.send()
        link.call("forget_arm", arm)
        return
    with exclusive(path):
        asked_ids = {instead for prompt, instead in asked_ids_of(path).get(arm.key, {}).items() if instead != prompt}
        replies = replies_in(path / layout.REPLIES)
        prompt_ids = (reply.prompt_id for reply in replies if (reply.model, reply.weights) == (arm.model, arm.weights))
        if not any(not arm.intervention or prompt in asked_ids for prompt in prompt_ids):
            write_arms(path, (old for old in arms_of(path) if old.key != arm.key), _read_skipped(path))


def settings_of(folder: str | Path, arm: ArmKey) -> Settings | None:
    """How an arm's replies in a folder were decoded; None if the arm is not noted, or has no settings noted."""
    return next((noted_arm.settings for noted_arm in arms_of(Path(folder)) if noted_arm.key == arm), None)


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
    path = Path(folder)
    arms = [noted_arm for noted_arm in arms_of(path) if noted_arm.key == arm]
    if not arms:
        return
    index, earlier = index_of(path, arms), arms[0].settings
    if earlier is not None and settings.letter_begins is None:  # the model decides this, not the user
        settings = replace(settings, letter_begins=earlier.letter_begins)
    old_elicits = {pair.elicit for pair in pairs_of(path) if index.samples(arm, pair.biased)}
    if not old_elicits:
        return
    head = f"{str(path)!r} holds replies of {arm.name}"
    if earlier is not None and earlier != settings:
        then, now = earlier.apart(settings), settings.apart(earlier)
        raise BadInput(
            f"{head} with {then}; asked for now: {now}. One arm has one way of decoding: measure with {then} again, or into "
            "another folder."
        )
    missing, names = old_elicits - set(elicits), ", ".join(sorted(elicits))
    if missing:
        union = ",".join(sorted(Ref.parse(elicit).unversioned for elicit in {*missing, *elicits}))
        raise BadInput(
            f"{head} to prompts of the elicitation {', '.join(sorted(missing))}; asked for now: {names}. One arm's number is "
            f"of one way of asking: measure into another folder, or pool them with `--elicit {union}`."
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
    body = {"edition": first_edition.NOW, "arms": [*map(asdict, arms)], "skipped": [row._asdict() for row in skipped]}
    write_text(Path(folder) / layout.ARMS, json.dumps(body, indent=2) + "\n")


def study_folder(folder: str | Path) -> Path:
    """Return the folder as a path. Raises `BadInput` if nothing was measured in it."""
    path = path_of(folder, "a study is expected: Results, or the path of its folder")
    if not (path / layout.ARMS).is_file():
        raise BadInput(
            f"{str(path)!r} holds no study ({layout.ARMS} is missing). `unsway measure … --out {path}` makes one; "
            "`unsway ls` lists folders that do."
        )
    return path


def study_of(study: Results | str | Path, folder: str | Path | None) -> tuple[Results, str | Path | None]:
    """Return the study (read if given as a folder), and the folder for its verdicts: its own unless another is named."""
    return (study, folder) if isinstance(study, Results) else (results(study), study if folder is None else folder)


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
    from unsway.studies.kept_columns import keep_columns, kept_columns, pause_collector, stamp
    from unsway.studies.scoring import kept_history  # imports numpy, which reading only names and arms does not need

    path = study_folder(folder)
    labels = LabelStore(path).labels() if (path / layout.LABEL_ROWS).exists() else ()
    file_stamp, pairs = stamp(path), pairs_of(path)
    arms = sorted(arms_of(path), key=lambda arm: RANK[arm.role])
    manifest = read_manifest(path / layout.PAIRS) or {}
    facts = {name: str(manifest[name]) for name in ("unsway", "python") if name in manifest}
    seconds: dict[str, list[float]] = {}
    for run in past_runs(path):
        seconds.setdefault(run.model, []).append(run.seconds)
    if seconds:
        facts["asked in"] = "; ".join(f"{model}: {duration(sum(times))}" for model, times in seconds.items())
    if location := describe_places(places(path)):
        facts["ran on"] = location
    with pause_collector():
        columns = kept_columns(path, pairs, file_stamp)
        study_results = Results.build(
            title or path.resolve().name,
            add_model_names(arms),
            pairs,
            ReadReplies(index_of(path, arms), columns),
            trained_biases=trained_biases,
            notes=Notes(
                tuple(_read_skipped(path)),
                frozenset((cell.model, cell.bias) for cell in kept_precisions(path) if cell.n_asked < cell.n_there),
                asked_ids_of(path),
                {**(about or {}), **facts},
                (*kept_verdicts(path, layout.SECOND_READINGS), *kept_verdicts(path)),
                labels,
                str((read_manifest(path / layout.LABEL_ITEMS) or {}).get("which", "")) if labels else "",
                tuple(judge_costs(path)),
                find_panel(path),
                kept_history(path),
                thoughts=kept_tests(path),
            ),
            level=level,
        )
    if file_stamp and columns is None:
        keep_columns(path, study_results.outcomes, pairs, file_stamp)
    return study_results


def judge_costs(folder: Path) -> Iterator[JudgeCost]:
    """Tokens and cost of each model that judged a folder's replies."""
    from unsway.planning.prices import cost_of, prices

    for replies_path in sorted((folder / layout.JUDGES).glob(f"*/{layout.REPLIES}")):
        replies = [*replies_in(replies_path)]
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


def kept_verdicts(folder: Path, name: str = layout.VERDICTS) -> tuple[Verdict, ...]:
    """Verdicts of judges or a second reader on a folder's replies; none if nobody was asked."""
    path = folder / name
    return tuple(read_jsonl(path, Verdict)) if path.exists() else ()


def kept_tests(folder: Path) -> tuple[ThoughtTest, ...]:
    """How answers changed when the reasoning before them was changed; none if no such test was run."""
    path = folder / layout.INTERROGATED
    return tuple(read_jsonl(path, ThoughtTest)) if path.exists() else ()


def asked_ids_of(folder: Path) -> dict[ArmKey, dict[str, str]]:
    """For each arm under an intervention, maps the id of each prompt to the id of the prompt asked instead."""
    asked_ids: dict[ArmKey, dict[str, str]] = {}
    for row in _read_asked(folder):
        asked_ids.setdefault(row.arm, {})[row.prompt_id] = row.asked_id
    return asked_ids


def index_of(folder: Path, arms: Sequence[Arm]) -> ReplyIndex:
    """The replies of some arms of a folder, by arm, prompt and sample; those of a large folder stay in their file."""
    from unsway.studies.kept_replies import file_index, is_large  # with numpy

    if is_large(folder):
        return file_index(folder, arms, asked_ids_of(folder))
    return reply_index(arms, replies_in(folder / layout.REPLIES), asked_ids_of(folder))


def arms_of(folder: Path) -> list[Arm]:
    """The arms noted in a folder. Raises `BadInput` if the list is damaged, or of a later edition."""
    body = read_json(folder / layout.ARMS)
    edition = body.get("edition", int)
    first_edition.check_known(folder, edition)
    arms = body.get("arms", list[Arm]) or []
    return arms if edition is not None else [first_edition.arm_of(arm) for arm in arms]


def _read_asked(folder: Path) -> tuple[Instead, ...]:
    path = folder / layout.ASKED
    if not path.exists():
        return ()
    if first_edition.has_key(path, "arm"):
        return tuple(read_jsonl(path, Instead))
    keys = {arm.name: arm.key for arm in arms_of(folder)}
    return tuple(
        Instead(keys[name], prompt_id, asked_id)
        for name, prompt_id, asked_id in read_jsonl(path, tuple[str, str, str])
        if name in keys
    )


def _read_skipped(folder: Path) -> list[SkippedCount]:
    return read_json(folder / layout.ARMS).get("skipped", list[SkippedCount]) or []


def count_skipped(pair_set: PairSet) -> list[SkippedCount]:
    """How many questions were skipped for each bias, by reason."""
    return [SkippedCount(bias, reason, n) for (bias, reason), n in pair_set.reasons().items()]


_PAIR_FIELDS = tuple(pair_field.name for pair_field in fields(PairRow))


def pairs_of(folder: Path) -> tuple[Pair, ...]:
    """The pairs of a folder; none if it holds none. Raises `BadRow` for a damaged row."""
    path = folder / layout.PAIRS
    if not path.exists():
        return ()
    questions_path, questions = folder / layout.QUESTIONS, dict[str, Question]()
    inline: dict[Question, Question] = {}
    clean: dict[Prompt, Prompt] = {}  # all biases of a question share its clean prompt
    pairs = []
    for number, row in enumerate(read_jsonl(path, PairRow), 1):
        if number == 1 and questions_path.exists():  # read after opening the pairs: writers store questions first
            questions = {q.id: q for q in read_jsonl(questions_path, Question)}
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
