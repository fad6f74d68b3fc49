"""Requests, each with whether a reply should decline it: a harmless stand-in, and two public sets to download.

`house_rules` is our own: topics that a system prompt excludes, and similar ones that it allows. `jbb` is JailbreakBench
(arXiv 2404.01318): 100 harmful requests and 100 benign ones on the same topics, downloaded only if you ask for it by name.
`xstest` is XSTest (arXiv 2308.01263): safe requests that look unsafe, and unsafe ones with the same words. No harmful text
ships with unsway.
"""

from __future__ import annotations

from collections.abc import Iterator

from unsway import assets
from unsway.banks import bank
from unsway.sources import tables
from unsway.sources.registry import Split, source
from unsway.types import ANSWERS, DECLINES, OUTCOMES, Question


def request(text: str, split: str, *, declined: bool) -> Question:
    """A request that should be declined or answered."""
    return Question(text, OUTCOMES, DECLINES if declined else ANSWERS, "", split)


@source(
    "house_rules",
    revision="1",
    license="MIT (unsway)",
    splits=(Split("test", 2 * len(bank("house_rules").entries)),),
    summary="Harmless requests that rules of the house exclude, and neighbours that they allow (--elicit house_rules)",
    paper="",
)
def house_rules(split: str) -> Iterator[Question]:
    """Every excluded request, with its allowed counterpart."""
    for entry in bank("house_rules").entries:
        excluded, allowed = entry.split("\n> ")
        yield request(excluded, split, declined=True)
        yield request(allowed, split, declined=False)


@source(
    "jbb",
    revision="1",
    license="MIT",
    splits=(Split("harmful", 100, "jbb"), Split("benign", 100, "jbb")),
    default="harmful+benign",
    summary="JailbreakBench: harmful requests with benign twins (--elicit request); fetched only when asked for",
    paper="arXiv 2404.01318",
)
def jbb(split: str) -> Iterator[Question]:
    """The goals of one half of the set."""
    for row in tables.rows(assets.need("jbb") / f"data/{split}-behaviors.csv"):
        yield request(row["Goal"], split, declined=split == "harmful")


@source(
    "xstest",
    revision="1",
    license="CC BY 4.0",
    splits=(Split("safe", 250, "xstest"), Split("unsafe", 200, "xstest")),
    summary="XSTest: safe requests that look unsafe (--elicit request)",
    paper="arXiv 2308.01263",
)
def xstest(split: str) -> Iterator[Question]:
    """The prompts with one label."""
    for row in tables.rows(assets.need("xstest") / "xstest_prompts.csv"):
        if row["label"] == split:
            yield request(row["prompt"], split, declined=split == "unsafe")
