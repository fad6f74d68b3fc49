"""Measure side effects of a study's trainings: ask its base, control and trained arms a panel, and compare.

In: the folder of a study. Out: an `EffectPanel`: a row for each number and arm, and a sentence for each arm. Replies are
stored with those of the study by address, so calling again resumes a stopped call, and asks nothing after a complete
one.

    panel = side_effects("runs/mine", ["clean_accuracy", "contrary"], n=300)
    panel                                    # a table
    panel.sentences["bct"]
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unsway import layout, sources
from unsway.data.mixture import EXAMPLES
from unsway.data.provenance import read_beside
from unsway.disk import write_text
from unsway.effects.asked import AskedEffect, Lookup, panel, with_margins
from unsway.effects.definition import EffectInputs, OwnError, choice
from unsway.effects.lost import lost_items
from unsway.effects.panel import PanelRole, rows, sentence
from unsway.effects.results import EffectPanel, find_panel
from unsway.effects.scoring import judge_prompts
from unsway.effects.stability import stability, stability_sentence
from unsway.effects.stance import stance
from unsway.errors import BadInput, UnknownName, expect_count
from unsway.models.session import LOCAL, Session, session
from unsway.models.weights import DTYPES
from unsway.readers.parse import read
from unsway.registry import Ref
from unsway.sampling import Sampling, ask
from unsway.store import dumps, replies_in, write_jsonl
from unsway.studies.arms import Arm, add_model_names, base_of
from unsway.studies.folder import RANK, arms_of, index_of, pairs_of, study_folder
from unsway.types import Pair, Prompt, Question, Reply, Settings
from unsway.types.kinds import checked

if TYPE_CHECKING:
    from unsway.models.session import ModelLike
    from unsway.planning.budget import Budget

JUDGE = "judge"
"""The key in `using` for the model that judges replies."""
N = 600
"""Default maximum number of questions; each side effect then takes its own number (`SideEffect.n`)."""


@checked
def side_effects(
    folder: str | Path,
    names: Sequence[str] | None = None,
    *,
    n: int | None = None,
    seed: int = 0,
    margins: Mapping[str, float] | None = None,
    arms: Sequence[str] | None = None,
    using: Mapping[str, ModelLike] | None = None,
    budget: Budget | None = None,
    **model_args: Any,
) -> EffectPanel:
    """Ask the arms of a study a panel of side effects, and say what was kept, what was lost, and what cannot be told.

    Args:
        folder: The folder of the study.
        names: Side effects (`unsway list effects`), or `name/condition`; None takes all that need no judge, except
            those that must be named.
        n: Questions of each condition; None takes each side effect's own number: in total under 2,000 replies per arm.
        seed: Seed of everything that is drawn.
        margins: Margins instead of the defaults, by `effect.number`, or by `effect` for its first number.
        arms: Labels of the arms; None takes the bases, controls and trained ones.
        using: Models to ask instead of the arms' own, by label. `judge` names the model that judges replies, for side effects
            that need one.
        budget: Stops before a prompt that could exceed its limit.
        model_args: Arguments for the provider of hosted arms, such as `base_url`.

    Raises:
        BadInput: The folder holds no study, or nothing to compare; an arm's weights or address have changed since it was
            measured.
        UnknownName: A side effect, an arm or a margin is unknown.
        ModelError, BudgetReached: As `unsway.ask`; everything so far is kept.
    """
    expect_count(n)
    path = study_folder(folder)
    judge = (using or {}).get(JUDGE)
    study_arms = sorted(add_model_names(arms_of(path)), key=lambda arm: RANK[arm.role])
    for label in arms or ():
        if label not in [arm.label for arm in study_arms]:
            raise UnknownName("arm", label, [arm.label for arm in study_arms])
    panel_arms = [arm for arm in study_arms if not arm.intervention and (arms is None or arm.label in arms)]
    if len(panel_arms) < 2 or panel_arms[0].role != "base":
        raise BadInput(
            f"{str(path)!r} has {', '.join(f'{arm.label} ({arm.role})' for arm in panel_arms) or 'no arm'}; side effects "
            "compare a base with at least one arm that was trained from it. Train one, or name both (--arms)."
        )
    unrelated = [arm.label for arm in panel_arms if base_of(study_arms, arm) not in (panel_arms[0], None)]
    if unrelated:
        raise BadInput(
            f"{str(path)!r} holds arms of several models, and {', '.join(unrelated)} cannot be compared with "
            f"{panel_arms[0].label}. Name one base and what was made from it (--arms)."
        )
    inputs = inputs_of(path, N if n is None else n, seed, panel_arms[0])
    effects_by_arm = {}
    for arm in panel_arms:
        asked_effects = panel(names, inputs, arm.settings or Settings(), own_sizes=n is None)
        effects_by_arm[arm.label] = with_margins(asked_effects, margins or {})
    for arm in panel_arms:
        with open_arm(path, arm, (using or {}).get(arm.label), model_args) as arm_session:
            ask_effects(path, effects_by_arm[arm.label], arm, arm_session, budget)
    judged_effects = add_verdicts(judge, path, effects_by_arm[panel_arms[0].label], panel_arms, budget)
    effect_panel = read_panel(path, judged_effects, panel_arms, inputs)
    if judge is not None:
        effect_panel = replace(effect_panel, about={**effect_panel.about, JUDGE: str(judge)})
    keep_panel(path, effect_panel, effects_by_arm[panel_arms[0].label])
    return effect_panel


def inputs_of(folder: Path, n: int, seed: int, base: Arm) -> EffectInputs:
    """Inputs of side effects: a study's questions with a right option, its elicitation, and a base's wrong answers."""
    pairs = pairs_of(folder)
    elicit = Ref.parse(pairs[0].elicit).unversioned if pairs else "cot"
    return EffectInputs(enough_questions(pairs, n), elicit, n, seed, tuple(_errors(folder, pairs, base)))


def enough_questions(pairs: Sequence[Pair], n: int) -> tuple[Question, ...]:
    """The pairs' questions with a right option, filled up to n from the same sources and splits if there are fewer."""
    questions = {pair.question.id: pair.question for pair in pairs if pair.question.gold is not None}
    special_sources = ("gambles", "comparisons")
    usual = [q for q in questions.values() if not q.is_request and not q.source.startswith(special_sources)]
    extra: list[Question] = []
    for source, split in dict.fromkeys((q.source, q.split) for q in usual) if len(usual) < n else ():
        name = Ref.parse(source).unversioned
        source_questions = sources.load(name, seed=pairs[0].seed, split=split) if name in sources.names() else ()
        extra += [q for q in source_questions[: 2 * n] if q.id not in questions]
    return (*usual, *extra[: n - len(usual)])


def _errors(folder: Path, pairs: Sequence[Pair], base: Arm) -> Iterator[OwnError]:
    """Yield a base's wrong answers: in training rows of the folder, and to the clean prompts of the study."""
    from unsway.data.foreign import read_examples  # loads pydantic

    question_ids: set[str] = set()
    for path in sorted((folder / layout.DATA).glob(f"*/{EXAMPLES}")):
        pairs_by_id = read_beside(path).pairs
        for row in read_examples(path):
            pair = pairs_by_id.get(row.pair_id or "")
            if pair is None or row.completion is None or pair.question.id in question_ids:
                continue
            option = read(row.completion, options=pair.question.options).choice
            if option is not None and pair.question.gold not in (None, option):
                question_ids.add(pair.question.id)
                yield OwnError(pair.question, option, trained=True)
    index = index_of(folder, [base])
    for pair in pairs:
        reply = index.reply(base.key, pair.clean, 0)
        option = choice(pair.question, [reply]) if reply else None
        if option is not None and pair.question.gold not in (None, option) and pair.question.id not in question_ids:
            question_ids.add(pair.question.id)
            yield OwnError(pair.question, option, trained=False)


def ask_effects(
    folder: Path, asked_effects: Sequence[AskedEffect], arm: Arm, model: Session, budget: Budget | None = None
) -> None:
    """Ask one arm the prompts of a panel without a stored reply. Raises `BadInput` if its weights have changed."""
    if model.subject.weights != arm.weights:
        raise BadInput(
            model.subject.elsewhere(arm.weights)
            or f"The arm {arm.label!r} answered with weights {arm.weights or 'unknown'}, and {model.subject.name} has "
            f"{model.subject.weights or 'none'} now. Measure the arm again (`unsway measure … --out {folder}`), or put its "
            "weights back."
        )
    for asked_effect in asked_effects:
        label = f"{arm.label}: {asked_effect.effect.name}"
        by_settings: dict[Settings, list[Prompt]] = {}
        for prompt in asked_effect.prompts():
            by_settings.setdefault(asked_effect.settings_for(prompt), []).append(prompt)
        for settings, prompts in by_settings.items():
            ask(
                prompts, model, Sampling(settings, asked_effect.effect.samples, folder, budget, label=label), read=False
            )


def open_arm(folder: Path, arm: Arm, using: ModelLike | None, model_args: Mapping[str, Any]) -> Session:
    """A session with the model of an arm, in the dtype that it was measured in.

    A checkpoint that was measured through a server (`--checkpoint`) is asked through that server.
    """
    if using is not None:
        return session(using)
    model: ModelLike = arm.model
    if not arm.model.startswith(LOCAL):
        target = arm.checkpoint if arm.checkpoint is not None and arm.checkpoint.is_hosted else model
        return session(target, **model_args)
    if arm.checkpoint is not None:
        moved_path = folder / layout.TRAINED / Path(arm.checkpoint.model).name  # its place if the folder was moved
        model = str(moved_path) if moved_path.is_dir() and not Path(arm.checkpoint.model).is_dir() else arm.checkpoint
    arm_session = session(model)
    for dtype in DTYPES:
        if arm_session.subject.weights != arm.weights:
            arm_session = session(model, dtype=dtype)
    return arm_session


def add_verdicts(
    judge: ModelLike | None,
    folder: Path,
    asked_effects: Sequence[AskedEffect],
    arms: Sequence[Arm],
    budget: Budget | None,
) -> tuple[AskedEffect, ...]:
    """The panel with a judge's verdicts on the replies; stored verdicts are not asked again.

    Raises:
        BadInput: A side effect needs a judge and none is named.
    """
    names = [asked_effect.effect.name for asked_effect in asked_effects if asked_effect.effect.judge is not None]
    if not names:
        return tuple(asked_effects)
    if judge is None:
        raise BadInput(
            f"The replies of {', '.join(names)} are read by a judge: name one (--judge MODEL; in Python "
            "using={'judge': MODEL}), or leave them out."
        )
    lookup_by_arm = lookups(folder, asked_effects, arms)
    prompts = dict[str, Prompt]()
    for asked_effect in asked_effects:
        for item, lookup in product(asked_effect.items, lookup_by_arm.values()):
            prompts |= {prompt.id: prompt for prompt in judge_prompts(asked_effect, item, lookup) if prompt is not None}
    judge_folder = folder / layout.JUDGES / layout.file_name(str(judge))
    replies_by_prompt: dict[str, list[Reply]] = {}
    for reply in ask(prompts.values(), judge, Sampling(folder=judge_folder, budget=budget, label="judge")):
        replies_by_prompt.setdefault(reply.prompt_id, []).append(reply)
    return tuple(
        replace(asked_effect, heard=lambda prompt: replies_by_prompt.get(prompt.id, ()))
        for asked_effect in asked_effects
    )


def lookups(folder: Path, asked_effects: Sequence[AskedEffect], arms: Sequence[Arm]) -> dict[str, Lookup]:
    """By arm label, a function that looks up the arm's replies in a folder."""
    prompts = {prompt.id for asked_effect in asked_effects for prompt in asked_effect.prompts()}
    replies_by_key: dict[tuple[str, str, str, Settings], dict[int, Reply]] = {}
    for reply in replies_in(folder / layout.REPLIES):
        if reply.prompt_id in prompts:
            key = (reply.prompt_id, reply.model, reply.weights, reply.settings)
            replies_by_key.setdefault(key, {})[reply.sample] = reply

    def lookup(arm: Arm) -> Lookup:
        def replies_of(prompt: Prompt, settings: Settings, samples: int) -> tuple[Reply, ...]:
            by_sample = replies_by_key.get((prompt.id, arm.model, arm.weights, settings), {})
            return tuple(by_sample[number] for number in range(samples) if number in by_sample)

        return replies_of

    return {arm.label: lookup(arm) for arm in arms}


def read_panel(
    folder: Path, asked_effects: Sequence[AskedEffect], arms: Sequence[Arm], inputs: EffectInputs
) -> EffectPanel:
    """Compute every number from a folder's replies; nothing is asked."""
    roles: dict[str, PanelRole] = {
        arm.label: arm.role if arm.role in ("base", "control") else "trained" for arm in arms
    }
    replies = lookups(folder, asked_effects, arms)
    panel_rows = rows(asked_effects, replies, roles)
    base = next(arm.label for arm in arms if arm.role == "base")
    control = next((label for label, role in roles.items() if role == "control"), base)
    sentences, stability_by_arm = dict[str, str](), dict[str, Any]()
    for label in (arm.label for arm in arms if arm.role != "base"):
        reference = control if roles[label] == "trained" else base
        reference_replies = replies[reference] if reference != base else None
        arm_stability = stability(asked_effects, replies[base], replies[label], reference_replies, seed=inputs.seed)
        parts = (
            sentence(panel_rows, label, base),
            stance(panel_rows, label),
            stability_sentence(arm_stability, reference),
        )
        sentences[label] = " ".join(filter(None, parts))
        stability_by_arm |= {label: asdict(arm_stability)} if arm_stability else {}
    margins = {
        f"{asked_effect.effect.name}.{measure.name}": measure.margin
        for asked_effect in asked_effects
        for measure in asked_effect.effect.measures
        if measure.margin
    }
    sizes = {
        asked_effect.effect.name: len({item.unit for item in asked_effect.items}) for asked_effect in asked_effects
    }
    about = {"n": sizes, "seed": inputs.seed, "elicit": inputs.elicit, "margins": margins, "changed": []}
    about |= {"stability": stability_by_arm} if stability_by_arm else {}
    about["controls"] = [label for label, role in roles.items() if role == "control"]
    return EffectPanel(panel_rows, sentences, about, lost_items(asked_effects, replies, panel_rows, base))


def keep_panel(folder: Path, effect_panel: EffectPanel, asked_effects: Sequence[AskedEffect]) -> None:
    """Store the panel and its prompts in the folder; margins changed after replies existed are recorded."""
    earlier = find_panel(folder)
    if earlier is not None:
        earlier_margins, margins = earlier.about.get("margins", {}), effect_panel.about["margins"]
        changed = [
            f"{name}: {earlier_margins[name]} → {margins[name]}"
            for name in margins
            if earlier_margins.get(name, margins[name]) != margins[name]
        ]
        effect_panel.about["changed"].extend(
            dict.fromkeys([*earlier.about.get("changed", ()), *changed])
        )  # never removed
    body: dict[str, Any] = {"about": dict(effect_panel.about), "sentences": dict(effect_panel.sentences)}
    body |= {
        name: [asdict(entry) for entry in entries]
        for name, entries in (("rows", effect_panel.rows), ("lost", effect_panel.lost))
    }
    write_text(folder / layout.EFFECTS, json.dumps(body, indent=1) + "\n")
    items = [
        {"effect": asked_effect.effect.versioned, **json.loads(dumps(item))}
        for asked_effect in asked_effects
        for item in asked_effect.items
    ]
    write_jsonl(
        folder / layout.EFFECT_ITEMS, items, effects=[asked_effect.effect.versioned for asked_effect in asked_effects]
    )
