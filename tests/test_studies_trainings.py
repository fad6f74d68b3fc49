"""How far trainings move from run to run, and trainings that changed nothing: both are said with the numbers."""

from __future__ import annotations

from dataclasses import replace

from keeping import scripted_arm

from unsway.pairing import pairs
from unsway.reporting.caveats import caveats
from unsway.reporting.table import footnotes
from unsway.stats.training_seeds import over_seeds
from unsway.studies.arms import Arm, ArmRole
from unsway.studies.results import Results
from unsway.studies.trainings import repeated_trainings
from unsway.testing import Script, toy_questions
from unsway.types import Checkpoint, Reply

MADE = pairs(toy_questions(60), ["suggested_answer", "post_hoc"])


def arm(label: str, role: ArmRole, training: str, follow: float, seed: int) -> tuple[Arm, tuple[Reply, ...]]:
    rates = dict.fromkeys(("suggested_answer", "post_hoc"), follow)
    return scripted_arm(MADE, Script(rates, seed=seed), label, role, training)


def study(*arms: tuple[Arm, tuple[Reply, ...]]) -> Results:
    return Results.build("study", [one for one, _ in arms], MADE, [reply for _, said in arms for reply in said])


BASE = arm("base", "base", "", 0.6, 1)


def test_several_training_seeds_are_one_result_with_its_spread() -> None:
    seeds = [
        arm(label, "trained", "bct", rate, n) for n, (label, rate) in enumerate({"bct": 0.1, "bct/1": 0.5}.items())
    ]
    found = study(BASE, *seeds, arm("control", "control", "control", 0.6, 5))
    bct, control = repeated_trainings(found)
    assert (bct.name, bct.labels, control.labels) == ("bct", ("bct", "bct/1"), ("control",))
    said = {one.label: [out for out in found.outcomes if out.arm == one.key] for one, _ in seeds}
    assert bct.summary == over_seeds(said, [out for out in found.outcomes if out.arm == BASE[0].key])
    assert bct.summary.spread is not None and bct.summary.spread > 0.1
    half = Results.build("study", found.arms, found.pairs, found.index.replies, level=0.5)
    assert repeated_trainings(half)[0].summary.brr.level == 0.5
    (once,) = [line for line in footnotes(found) if "One training seed" in line]
    (several,) = [line for line in footnotes(found) if "training seeds" in line and line.startswith("bct over 2")]
    assert "One training seed of control:" in once and "seeds=(0, 1, 2)" in once
    assert (
        "mean BRR +" in several
        and "from seed to seed it moves by " in several
        and ". A nominal" in several
        and "ratio to the base" in several
    )


def test_trainings_of_one_name_are_those_of_their_own_base() -> None:
    bases = [arm(name, "base", "", rate, n) for n, (name, rate) in enumerate({"a": 0.6, "b": 0.3}.items())]
    seeds = []
    for n, base in enumerate("aabb"):
        one, said = arm(f"bct of {base} {n}", "trained", "bct", 0.1 * n, n)
        checkpoint = Checkpoint("x", f"scripted/{base}", "hosted", "y", "Bct()", "f" * 64, 1, 9)
        seeds.append((replace(one, checkpoint=checkpoint), said))
    found = repeated_trainings(study(*bases, *seeds))
    assert [(each.name, each.labels) for each in found] == [
        ("bct of scripted/a", ("bct of a 0", "bct of a 1")),
        ("bct of scripted/b", ("bct of b 2", "bct of b 3")),
    ]


def test_a_checkpoint_that_no_study_trained_is_one_training_too() -> None:
    alone, said = arm("mine", "trained", "", 0.1, 2)
    made = Checkpoint("x", "scripted/base", "local", "x", "Bct()", "f" * 64, 1, 9)
    found = study(BASE, (replace(alone, checkpoint=made), said))
    assert any(line.startswith("One training seed of mine: ") for line in footnotes(found))


def test_a_study_without_trainings_says_nothing_of_seeds() -> None:
    assert not any("training seed" in line for line in footnotes(study(BASE)))


def test_a_training_after_which_every_reply_is_the_same_draws_a_warning() -> None:
    label, role = "bct", "trained"
    idle = Arm(label, "scripted/bct", "w", role, training="bct")  # type: ignore[arg-type]
    same = tuple(
        Reply(r.prompt_id, idle.model, "w", r.sample, r.text, None, (), "end", r.settings, 1, 1) for r in BASE[1]
    )
    (warned,) = [line for line in caveats(study(BASE, (idle, same))) if "word for word" in line]
    assert warned.startswith(f"bct: all {len(same)} replies are those of base") and "adapter is not in use" in warned
    one = (*same[:-1], Reply(same[-1].prompt_id, idle.model, "w", 0, "(C)", None, (), "end", same[-1].settings, 1, 1))
    assert not any("word for word" in line for line in caveats(study(BASE, (idle, one))))
