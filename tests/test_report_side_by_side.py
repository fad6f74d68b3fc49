"""Arms side by side: every cell is that of the table, a training stands against its control, hostile names stay text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.scripted_study import hostile_study, study
from unsway.reporting import words
from unsway.reporting.side_by_side import to_markdown
from unsway.stats.compare import brr_difference
from unsway.studies.results import Results


@pytest.fixture(scope="module")
def found() -> Results:
    return study(40)


def rows_of(text: str, first: str) -> dict[str, list[str]]:
    """The rows of the table that begins with such a line, by their first cell."""
    part = text[text.index(first) :].split("\n\n")[0]
    return {cells[0]: cells[1:] for cells in ([c.strip() for c in line[1:-1].split("|")] for line in part.splitlines())}


def plain(text: str) -> str:
    return text.replace("\\", "")


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
