"""Prices: a dated table, and the user's own lines, which replace it."""

from __future__ import annotations

from pathlib import Path

import pytest

from unsway.errors import BadInput, BadRow
from unsway.planning.prices import price_of, prices


def test_every_price_of_the_package_reads_and_is_dated() -> None:
    table = prices()
    assert len(table) >= 20
    assert all(int(price.seen[:4]) >= 2025 for price in table.values())
    assert all(price.tokens_out >= price.tokens_in for price in table.values())


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("openai/gpt-4o", "openai/gpt-4o"),
        ("openai/gpt-4o-2024-08-06", "openai/gpt-4o"),
        ("openai/gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini"),
        ("anthropic/claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5"),
        ("openai/gpt-4o-audio", None),
        ("openai/gpt-5-pro", None),
        ("openai/ft:gpt-4o-mini-2024-07-18:me::1", "openai/ft:gpt-4o-mini"),
        ("unsway/anything/at-all", "unsway/"),
        ("gpt-4o", None),
    ],
)
def test_prices_are_found_by_name_snapshot_or_provider(model: str, name: str | None) -> None:
    found = price_of(model, prices())
    assert (found.name if found else None) == name


@pytest.mark.parametrize("before", ["# mine\n\n", "\ufeff"])
def test_ones_own_prices_win(before: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(f"{before}openai/gpt-4o 1 2 2027-01\nmine/model 3 4.5 2027-01\n", encoding="utf-8")
    table = prices(path)
    assert table["openai/gpt-4o"].of(1e6, 1e6) == 3
    assert table["mine/model"].tokens_out == 4.5
    assert "openai/gpt-4o-mini" in table


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("a/b 1 2", "line"),
        ("a/b 1 2 soon", "month"),
        ("a/b one 2 2026-11", "price"),
        ("a/b 1 -2 2026-11", "price"),
        ("a/b 1 nan 2026-11", "price"),
        ("a/b 1 inf 2026-11", "price"),
    ],
)
def test_a_bad_price_names_its_line(tmp_path: Path, line: str, field: str) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(f"a/a 1 2 2026-11\n{line}\n")
    with pytest.raises(BadRow) as caught:
        prices(path)
    assert (caught.value.line, caught.value.field) == (2, field)
    with pytest.raises(BadInput, match="no-such-file"):
        prices(tmp_path / "no-such-file")
