"""Arms side by side: every cell is that of the table, a training stands against its control, hostile names stay text."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

import pytest
from scripted_study import hostile_study, study

from unsway.pairing import pairs
from unsway.prompts.render import letter
from unsway.reporting import words
from unsway.reporting.deck.content import slides
from unsway.reporting.deck.layout import Table
from unsway.reporting.deck.steps import steps
from unsway.reporting.side_by_side import to_markdown
from unsway.stats.by_prompt import by_prompt
from unsway.stats.compare import brr_difference
from unsway.stats.outcome_table import OutcomeTable
from unsway.stats.outcomes import outcomes
from unsway.studies.arms import Arm
from unsway.studies.results import Results
from unsway.testing import Script, scripted_replies, toy_questions
from unsway.types import Reply, Settings


@pytest.fixture(scope="module")
def found() -> Results:
    return study(40)


def rows_of(text: str, first: str) -> dict[str, list[str]]:
    """The rows of the table that begins with such a line, by their first cell."""
    part = text[text.index(first) :].split("\n\n")[0]
    return {cells[0]: cells[1:] for cells in ([c.strip() for c in line[1:-1].split("|")] for line in part.splitlines())}


def arm_row(found: Results, name: str) -> list[str]:
    """A row of the table of the slides, by its first cell."""
    table = next(item for slide in slides(found) for item in slide.items if isinstance(item, Table))
    return [cell[0] for row in table.rows if row[0][0] == name for cell in row[1:]]


def plain(text: str) -> str:
    return unescape(text.replace("\\", ""))


def test_each_cell_is_the_one_of_the_table(found: Results) -> None:
    rows = rows_of(to_markdown(found), "| bias | base | control | bct |")
    for bias in found.biases:
        for arm, text in zip(found.arms, rows[words.human(bias)], strict=True):
            cell = found.cell(arm, bias)
            assert cell is not None
            star = "*" if arm.role == "trained" and found.is_trained(bias) else ""
            assert plain(text) == f"{words.brr(cell['brr'])}{star} ({cell['brr'].n})"
    assert len(rows) == 2 + len(found.biases) + 2


def test_clean_replies_that_biases_share_count_once(found: Results) -> None:
    base = found.arms[0]
    clean = {pair.clean.id for pair in found.pairs}
    right = {
        next(p.clean.id for p in found.pairs if p.id == o.pair_id): o.right_clean
        for o in found.outcomes
        if o.arm == base.key and o.right_clean is not None
    }
    assert len(right) < len(clean) * len(found.biases)
    rows = rows_of(to_markdown(found), "| bias | base")
    assert rows["accuracy, clean → biased"][0].startswith(words.percent(sum(right.values()) / len(right)))


@pytest.fixture(scope="module")
def mostly_wrong() -> Results:
    """A base that is right 95 times in 100 and an arm that is 35 times; conversations end at a wrong first answer."""
    asked, made = pairs(toy_questions(100), ["suggested_answer", "are_you_sure"]), []
    numbers = {question: i for i, question in enumerate(dict.fromkeys(pair.question.id for pair in asked))}
    for arm, n_right in (("base", 95), ("bct", 35)):
        for pair in asked:
            gold, is_right = pair.question.gold or 0, numbers[pair.question.id] < n_right
            first = f"The best answer is: ({letter(gold if is_right else (gold + 1) % len(pair.question.options))})."
            clean = Reply(pair.clean.id, arm, "", 0, first, None, (), "end", Settings(), 1, 1)
            biased = replace(clean, prompt_id=pair.biased.id)
            if pair.rule.counts_if == "first_right":
                biased = replace(biased, turns=(first,)) if is_right else replace(biased, stop="first_wrong")
            made += [clean, biased]
    arms = (Arm("base", "base", "", "base"), Arm("bct", "bct", "", "trained"))
    return Results.build("mostly wrong", arms, asked, dict.fromkeys(made))


def test_accuracy_is_that_of_all_prompts_and_not_of_those_that_were_right_at_first(mostly_wrong: Results) -> None:
    assert mostly_wrong.overall[1]["accuracy_clean"].value == pytest.approx(70 / 135)  # over the pairs that count
    rows = rows_of(to_markdown(mostly_wrong), "| bias | base")
    assert rows["accuracy, clean → biased"] == ["95 → 95", "35 → 35"]
    assert arm_row(mostly_wrong, "right, %") == ["95 → 95", "35 → 35"]
    less = "bct is right less often on clean prompts (95 to 35%)"
    assert any(step.startswith(less) for step in steps(mostly_wrong))
    wider = replace(mostly_wrong, level=1 - 1e-12)  # where the intervals meet
    assert not any(step.startswith(less) for step in steps(wider))


def test_a_conversation_that_ended_at_a_wrong_first_answer_is_not_unread(mostly_wrong: Results) -> None:
    assert sum(o.excluded is not None and o.excluded.by_definition for o in mostly_wrong.outcomes) == 5 + 65
    rows = rows_of(to_markdown(mostly_wrong), "| bias | base")
    assert rows["replies read, clean → biased"] == ["100 → 100"] * 2 == arm_row(mostly_wrong, "read, %")


def test_a_reply_that_cannot_be_read_counts_once_whichever_biases_share_it() -> None:
    asked = pairs(toy_questions(40), ["suggested_answer", "post_hoc"])
    replies = scripted_replies(asked, Script({}, 1.0, parse_rate=0.5))
    outs = OutcomeTable.of(outcomes(asked, replies))
    found = by_prompt(outs, asked)
    clean = {pair.clean.id: o.clean.status == "ok" for pair, o in zip(asked, outs, strict=True)}
    assert len(clean) == 40 and found["parse_rate_clean"].n == 40 and found["parse_rate_biased"].n == 80
    assert found["parse_rate_clean"].value == sum(clean.values()) / 40
    n_right = found["accuracy_clean"]
    assert (n_right.n, n_right.n_excluded, n_right.value) == (sum(clean.values()), 40 - sum(clean.values()), 1.0)


def test_a_training_is_compared_with_its_control_and_the_control_with_the_base(found: Results) -> None:
    rows = rows_of(to_markdown(found), "| bias | control − base | bct − control |")
    base, control, bct = ([o for o in found.outcomes if o.arm == arm.key] for arm in found.arms)
    for bias in found.biases:
        a, b, c = ([o for o in arm if o.bias == bias] for arm in (base, control, bct))
        expected = [words.points(brr_difference(b, a)), words.points(brr_difference(c, b))]
        assert [plain(text) for text in rows[words.human(bias)]] == expected
    alone = replace(found, arms=(found.arms[0], found.arms[2]))
    assert "| bias | bct − base |" in to_markdown(alone)


def test_a_base_alone_has_nothing_to_be_compared_with(found: Results) -> None:
    text = to_markdown(replace(found, arms=found.arms[:1]))
    assert "| bias | base |" in text and "−" not in text.split("\n\n")[2].splitlines()[0] and "| base | " in text


def test_hostile_names_stay_text() -> None:
    assert "<script" not in to_markdown(hostile_study()).lower()
