"""Our biases beside the prompts released with the paper: the same structure, save for what docs/parity.md lists.

Needs the released files (UNSWAY_PARITY_DATA, or ../shared/data); skipped without them. The table in docs/parity.md is
written by `python tests/test_parity.py write-docs`.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from statistics import median

import pytest
from biasing import labelled_right, shot_texts
from biasing import place as own_place
from parity import DATA, TASKS, Row, examples, place, rows, training

from unsway import assets, sources
from unsway.banks import bank
from unsway.biases.arguments import Argument, Arguments, flaw
from unsway.pairing import PairSet, cued_option, pairs
from unsway.prompts.render import letter
from unsway.sources.checks import words
from unsway.types import Pair

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the released files are not at {DATA}")
DOCS = Path(__file__).parent.parent / "docs" / "parity.md"
SEED = 0

OURS = {
    "suggested_answer": "suggested_answer/letter",
    "are_you_sure": "are_you_sure",
    "post_hoc": "post_hoc",
    "wrong_few_shot": "wrong_few_shot_arbitrary",
    "spurious_few_shot_squares": "spurious_squares",
    "distractor_fact": "distractor_fact",
    "distractor_argument": "distractor_argument",
}
"""Released name to the bias of ours that has its structure."""
LENGTH = (0.5, 2.0)
"""Bounds of the ratio of median lengths that a cue adds, ours to theirs."""


@cache
def built(released: str, task: str) -> PairSet:
    """Our pairs on the questions of a released file, with the released arguments where they argue for our option."""
    theirs = rows(released, task)
    asked = tuple({row.question.id: row.question for row in theirs}.values())
    said = {
        row.question.id: argument(row) for row in theirs if row.biased_option == cued_option(row.question, "any", SEED)
    }
    bank = Arguments(tuple(said.values())) if released == "distractor_argument" else None
    return pairs(asked, [OURS[released]], aim="any", seed=SEED, arguments=bank)


def argument(row: Row) -> Argument:
    """The argument quoted in a released row."""
    found = re.search(r"<argument>\n?(.*?)\n?</argument>", row.biased[0][1], re.DOTALL)
    return Argument(row.question.id, row.biased_option or 0, found[1] if found else "")


def shares(names: list[str]) -> dict[str, float]:
    return {name: n / len(names) for name, n in Counter(names).items()}


def added(pair: Pair) -> int:
    """Characters by which our biased prompt is longer than the clean one."""
    biased, clean = (sum(len(turn.text()) for turn in arm.turns) for arm in (pair.biased, pair.clean))
    return biased - clean


def median_added(released: str, task: str) -> tuple[float, float]:
    """Median of characters that a cue adds: theirs, ours. What the model itself says in are-you-sure does not count."""
    roles = ("user",) if released == "are_you_sure" else ("user", "assistant")
    return median(row.added(roles) for row in rows(released, task)), median(map(added, built(released, task)))


# ---------------------------------------------------------------- every bias


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("released", OURS)
def test_same_roles(released: str, task: str) -> None:
    theirs = {tuple(role for role, _ in row.biased) for row in rows(released, task)}
    ours = {tuple(turn.role for turn in pair.biased.turns) for pair in built(released, task)}
    assert len(theirs) == 1 and ours == theirs


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("released", OURS)
def test_lengths_are_alike(released: str, task: str) -> None:
    theirs, ours = median_added(released, task)
    assert LENGTH[0] <= ours / theirs <= LENGTH[1]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("released", [name for name in OURS if name != "distractor_argument"])
def test_every_released_question_is_taken_or_counted(released: str, task: str) -> None:
    made = built(released, task)
    unique = {row.question.id for row in rows(released, task)}
    assert len(made) + len(made.skipped) == len(unique)
    assert {each.reason for each in made.skipped} <= {"options: duplicate options"}
    assert len(made.skipped) <= 0.02 * len(unique)


# ---------------------------------------------------------------- single biases


def test_suggested_answer_sits_at_the_same_four_places_about_as_often() -> None:
    theirs = shares([place(row) for task in TASKS for row in rows("suggested_answer", task)])
    ours = shares([own_place(pair.biased) for task in TASKS for pair in built("suggested_answer", task)])
    assert theirs.keys() == ours.keys()
    assert all(abs(theirs[name] - ours[name]) < 0.06 for name in theirs)


@pytest.mark.parametrize("task", TASKS)
def test_suggested_answer_names_the_letter(task: str) -> None:
    for pair in built("suggested_answer", task):
        assert f"({letter(pair.target.option)})" in pair.biased.cue()  # type: ignore[union-attr]


def test_training_rows_have_the_same_forms_and_places() -> None:
    """Letter and quoted text evenly; half of the cues before the options. There, two of the four places coincide."""
    quoted, before = 0, 0
    prompts = list(zip(training("bct_non_cot"), training("control_non_cot"), strict=True))
    for (biased, _), (clean, _) in prompts:
        head, clean_head = (text.split("Answer choices:")[0] for text in (biased, clean))
        before += head != clean_head
        new = set(biased.split("\n")) - set(clean.split("\n"))
        options = re.findall(r"^\([A-Z]\) (.*)$", biased, re.MULTILINE)
        quoted += any(f"'{option}'" in line for option in options for line in new)
    n = len(prompts)
    assert n == 5000 and abs(before / n - 0.5) < 0.03 and abs(quoted / n - 0.5) < 0.05
    asked = [row.question for row in rows("suggested_answer", "logiqa")]
    for name in ("suggested_answer", "suggested_against"):
        made = pairs(asked, [name], elicit="direct", aim="any")
        assert abs(shares([own_place(p.biased) in ("front", "before_options") for p in made])[True] - 0.5) < 0.06  # type: ignore[list-item, index]
        assert abs(sum('"' in p.biased.cue() for p in made) / len(made) - 0.5) < 0.06


def plain(text: str) -> str:
    return re.sub(r"\W+", " ", text.replace("{answer}", "X").casefold()).strip()


def released_hunches() -> set[str]:
    """Every phrasing of the release, from test and training rows, its option replaced by {answer}."""
    found = set()
    for row in (row for task in TASKS for row in rows("suggested_answer", task)):
        new = Counter(row.biased[0][1].split("\n")) - Counter(row.clean[0][1].split("\n"))
        found |= {re.sub(rf"\b{letter(row.biased_option or 0)}\b", "{answer}", line) for line in new if line.strip()}
    for (biased, _), (clean, _) in zip(training("bct_non_cot"), training("control_non_cot"), strict=True):
        options = re.findall(r"^\([A-Z]\) (.*)$", biased, re.MULTILINE)
        for line in set(biased.split("\n")) - set(clean.split("\n")):
            found |= {line.replace(f"'{option}'", "{answer}") for option in options if f"'{option}'" in line}
    return {plain(line) for line in found}


@pytest.mark.parametrize("name", ["hunches_for", "hunches_against"])
def test_hunches_are_our_own_writing(name: str) -> None:
    theirs = released_hunches()
    assert len(theirs) >= 104
    for entry in bank(name).entries:
        assert not get_close_matches(plain(entry), theirs, 1, 0.85), entry


def test_training_rows_pair_with_their_control() -> None:
    """Released rows pair by question and answer; only ours also share the instruction and the target's wording."""

    def answer(target: str) -> str:
        return target.removeprefix("The best answer is: (")

    both = list(zip(training("bct_non_cot"), training("control_non_cot"), strict=True))
    assert sum(answer(biased[1]) == answer(clean[1]) for biased, clean in both) == len(both)


@pytest.mark.parametrize("task", TASKS)
def test_post_hoc_plants_the_letter_after_the_options(task: str) -> None:
    for row in rows("post_hoc", task):
        assert row.biased[1][1].endswith(f"({letter(row.biased_option or 0)})")
        assert row.biased[0][1].rstrip().endswith(row.question.options[-1].rstrip())
    for pair in built("post_hoc", task):
        assert f"({letter(pair.target.option)})" in pair.biased.turns[1].text()  # type: ignore[union-attr]
        assert pair.biased.turns[0].text().endswith(pair.question.options[-1])


def test_are_you_sure_lets_the_model_speak_where_the_released_rows_quote_another() -> None:
    for task in TASKS:
        assert all(row.biased_option is None for row in rows("are_you_sure", task))
        for pair in built("are_you_sure", task):
            assert [turn.parts is None for turn in pair.biased.turns] == [False, True, False, True, False]


@pytest.mark.parametrize("task", TASKS)
def test_wrong_few_shot_has_as_many_examples_and_one_is_the_question(task: str) -> None:
    theirs = shares([str(len(examples(row))) for row in rows("wrong_few_shot", task)])
    made = built("wrong_few_shot", task)
    ours = shares([str(len(own_examples(pair))) for pair in made])
    assert theirs.keys() == ours.keys() == {"2", "3", "4", "5"}
    assert all(abs(theirs[n] - ours[n]) < 0.08 for n in theirs)
    for row in rows("wrong_few_shot", task):
        planted = [text for text in examples(row) if text.startswith(row.question.stem)]
        assert planted and planted[0].endswith(f"({letter(row.biased_option or 0)})")
    for pair in made:
        assert sum(text.startswith(pair.question.stem) for text in own_examples(pair)) == 1


def own_examples(pair: Pair) -> list[str]:
    """Our examples; a stem that holds the separator counts once."""
    return shot_texts(pair.biased)


def test_share_of_correctly_labelled_examples() -> None:
    """Theirs is about a third on items whose right answer we know, as with labels drawn; ours has both readings."""
    if assets.folder_of("bigbench") is None:
        pytest.skip("the right answers of the released examples are in BIG-bench, which is not downloaded")
    right = released_right()
    theirs = sum(right) / len(right)
    asked = [row.question for row in rows("wrong_few_shot", "truthfulqa")]
    for name, low, high in (("wrong_few_shot_arbitrary", theirs - 0.08, theirs + 0.08), ("wrong_few_shot", 1, 1)):
        made = pairs(asked, [name], aim="any", seed=SEED)
        labels = [
            labelled_right(shot)
            for pair in made
            for shot in shot_texts(pair.biased)
            if not shot.startswith(pair.question.stem)
        ]
        assert low <= sum(labels) / len(labels) <= high, name
    assert len(right) > 2000 and f"{100 * theirs:.0f} % carry the right label" in page()


@cache
def released_right() -> tuple[bool, ...]:
    """For each released example that BIG-bench has, whether its label is right."""
    gold = {}
    for name in sources.names():
        if name.startswith("bbh/") and any(split.name == "bigbench" for split in sources.get(name).splits):
            for q in sources.load(name, split="bigbench"):
                gold[_key(q.stem, q.options)] = words(q.options[q.gold or 0])
    found = []
    for row in (row for task in TASKS for row in rows("wrong_few_shot", task)):
        for text in examples(row):
            stem, _, rest = text.partition("\n\nAnswer choices:\n")
            listed, _, label = rest.rpartition("\nThe best answer is: (")
            options = tuple(option.strip("\n") for option in re.split(r"^\([A-Z]\) ", listed, flags=re.MULTILINE)[1:])
            right = gold.get(_key(stem, options))
            if right is not None and not text.startswith(row.question.stem):
                found.append(words(options[ord(label[0]) - ord("A")]) == right)
    return tuple(found)


def _key(stem: str, options: tuple[str, ...]) -> tuple[object, ...]:
    return words(stem)[-12:], tuple(sorted(words(option) for option in options))


@pytest.mark.parametrize("task", TASKS)
def test_squares_mark_five_right_options_and_the_cued_one(task: str) -> None:
    for row in rows("spurious_few_shot_squares", task):
        assert len(examples(row)) == 5
        for text in examples(row):
            marked = next(line for line in text.split("\n") if line.endswith("⬛"))
            assert text.endswith(marked[:3])
        last = row.biased[0][1].split("\n===\n")[-1]
        assert last.count("⬛") == 1
    for pair in built("spurious_few_shot_squares", task):
        assert len(own_examples(pair)) == 5 and pair.biased.cue().count("⬛") == 6


@pytest.mark.parametrize("task", TASKS)
def test_fact_stands_before_the_question_and_a_warning_after_the_options(task: str) -> None:
    for row in rows("distractor_fact", task):
        text = row.biased[0][1]
        assert text.index("</fun_fact>") < text.index("Answer choices:") < text.index("Note that the fun fact")
    for pair in built("distractor_fact", task):
        assert _layout(pair) == ["cue", "stem", "option", "cue", "instruction"]


@pytest.mark.parametrize("task", TASKS)
def test_argument_stands_before_the_question_and_a_warning_after_the_options(task: str) -> None:
    for row in rows("distractor_argument", task):
        text = row.biased[0][1]
        assert text.index("</argument>") < text.rindex("</question>") < text.index("Please think step by step")
    for pair in built("distractor_argument", task):
        assert _layout(pair) == ["cue", "stem", "option", "cue", "instruction"]


def _layout(pair: Pair) -> list[str]:
    """Kinds of parts in the question's turn, runs of one kind as one."""
    kinds = [part.kind for part in pair.biased.turns[-1].parts or ()]
    return [kind for i, kind in enumerate(kinds) if i == 0 or kinds[i - 1] != kind]


def test_released_arguments_pass_our_checks() -> None:
    found = Counter(
        flaw(argument(row).text, row.question, row.biased_option or 0)
        for task in TASKS
        for row in rows("distractor_argument", task)
    )
    assert f"Of the {sum(found.values()):,} released arguments, more than 99 % pass" in page()
    assert found[None] > 0.99 * sum(found.values())


def test_hindsight_has_ten_examples_that_go_with_their_outcome() -> None:
    theirs = rows("spurious_few_shot_hindsight", "hindsight_neglect")
    assert len(theirs) == 315
    for row in theirs:
        shown = re.findall(r"<example>\n(.*?)\n</example>", row.biased[0][1], re.DOTALL)
        assert len(shown) == 10
        assert all((" ends up earning " in text) == text.endswith("Answer: Y") for text in shown)
    made = pairs(sources.load("gambles", 100), ["spurious_hindsight"])
    for pair in made:
        assert len(own_examples(pair)) == 10
        assert all(("won " in text) == _says_yes(text) for text in own_examples(pair))
    theirs_added = median(len(text) for row in theirs for text in examples_of_hindsight(row))
    ours_added = median(len(text) for pair in made for text in own_examples(pair))
    assert LENGTH[0] <= ours_added / theirs_added <= LENGTH[1]


def examples_of_hindsight(row: Row) -> list[str]:
    return re.findall(r"<example>\n(.*?)\n</example>", row.biased[0][1], re.DOTALL)


def _says_yes(text: str) -> bool:
    return f"{text[-3:]} Yes" in text


# ---------------------------------------------------------------- the page


def table() -> str:
    """Both sides, measured, as Markdown."""
    lines = [
        "| released file | rows | roles | examples | characters added, theirs | ours | our bias |",
        "|---|---|---|---|---|---|---|",
    ]
    for released in OURS:
        for task in TASKS:
            theirs, ours = median_added(released, task)
            row = rows(released, task)[0]
            roles = ", ".join(role for role, _ in row.biased)
            counts = sorted({len(examples(each)) for each in rows(released, task)})
            shown = "–" if counts == [0] else "–".join(str(n) for n in dict.fromkeys((counts[0], counts[-1])))
            lines.append(
                f"| `{task}_{released}` | {len(rows(released, task))} | {roles} | {shown} | {theirs:.0f} | {ours:.0f} | "
                f"`{OURS[released]}` |"
            )
    return "\n".join(lines)


START, END = "<!-- table: written by tests/test_parity.py -->\n", "\n<!-- end of table -->"


def page() -> str:
    """docs/parity.md with its lines joined."""
    return " ".join(DOCS.read_text(encoding="utf-8").split())


def test_docs_show_what_is_measured() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert text.split(START)[1].split(END)[0] == table(), "python tests/test_parity.py write-docs"
    own = {"wrong_few_shot", "spurious_hindsight", "positional"} | {name.partition("/")[0] for name in OURS.values()}
    headings = set(re.findall(r"^## `(\w+)`$", text, re.MULTILINE))
    assert headings == own - {"wrong_few_shot_arbitrary"}


def write_docs() -> None:
    """Write the table of docs/parity.md anew."""
    text = DOCS.read_text(encoding="utf-8")
    DOCS.write_text(text.split(START)[0] + START + table() + END + text.split(END)[1], encoding="utf-8")


if __name__ == "__main__" and sys.argv[1:] == ["write-docs"]:
    write_docs()
