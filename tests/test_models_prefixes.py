"""Prompts with a common prefix do not start together: one processes the prefix, and the others reuse it."""

from __future__ import annotations

from unsway.models.engines.prefixes import BLOCK, Prefixes, blocks

EXAMPLE = tuple(range(2 * BLOCK))


def prompt(question: int, cue: int = 0) -> tuple[int, ...]:
    return (*EXAMPLE, *(1000 + question,) * BLOCK, *(2000 + cue,) * BLOCK, 5, 6)


def test_blocks_depend_on_everything_before_them() -> None:
    one, other = blocks(prompt(1)), blocks((9, *prompt(1)[1:]))
    assert len(one) == 4  # the rest is no whole block
    assert blocks(prompt(1)) == one
    assert not set(one) & set(other)
    assert blocks(prompt(1, cue=1))[:3] == one[:3] != blocks(prompt(2))[:3]


def test_one_goes_first_and_the_others_follow_once_it_is_read() -> None:
    seen: Prefixes[str] = Prefixes()
    seen.start("a", blocks(prompt(1)))
    assert not seen.may_start(blocks(prompt(2)))
    seen.done("a")
    seen.start("b", blocks(prompt(2)))
    assert seen.may_start(blocks(prompt(3)))  # they share the example alone, which is read
    assert not seen.may_start(blocks(prompt(2, cue=1)))
    seen.done("b")
    assert seen.may_start(blocks(prompt(2, cue=1)))
    assert seen.reading == ()


def test_prompts_without_a_whole_block_wait_for_nobody() -> None:
    seen: Prefixes[int] = Prefixes()
    seen.start(0, blocks((1, 2, 3)))
    assert seen.may_start(blocks((1, 2, 3)))
    seen.done(0)
    seen.done(0)


def test_what_starts_again_after_it_was_read_holds_nobody_back() -> None:
    seen: Prefixes[int] = Prefixes()
    seen.start(0, blocks(prompt(1)))
    seen.done(0)
    seen.start(1, blocks(prompt(1)))
    assert seen.may_start(blocks(prompt(1)))
