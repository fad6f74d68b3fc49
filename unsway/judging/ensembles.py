"""Several judges as one: a rule over their verdicts on the same text and the same question.

In: verdicts of several judges. Out: a `Verdict` for each text. A missing verdict counts as an abstention: if the others do
not decide, the ensemble has no verdict. Only verdicts on the same question are combined, never those of a judge of mentions
and a judge of reliance. Members stay in the tables next to their ensemble.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias, get_args

from unsway.errors import BadInput
from unsway.judging.agreement import says_yes
from unsway.judging.trust import text_of
from unsway.types import Verdict

Rule: TypeAlias = Literal["any", "majority", "all"]
"""any: at least one yes. majority: more than half of all members say so. all: every member says yes."""
RULES: tuple[Rule, ...] = get_args(Rule)


def decided(votes: Iterable[bool | None], rule: Rule) -> bool | None:
    """The result of votes under a rule; None if missing votes could still decide."""
    given = list(votes)
    yes, no, n = given.count(True), given.count(False), len(given)
    needed = {"any": 1, "majority": n // 2 + 1, "all": n}[rule]
    if yes >= needed:
        return True
    return False if n - no < needed else None


def ensemble(verdicts: Iterable[Verdict], rule: Rule) -> tuple[Verdict, ...]:
    """One verdict for each text, on every question that at least two judges were asked.

    A judge that was not asked about a text abstains on it; if that leaves the vote undecided, the verdict is missing.

    Raises:
        BadInput: The rule is not known.
    """
    if rule not in RULES:
        raise BadInput(f"The rule {rule!r} is not known; it is one of: {', '.join(RULES)}.")
    every = tuple(verdicts)
    members: dict[str, list[str]] = {}
    votes: dict[tuple[object, ...], dict[str, Verdict]] = {}
    for one in every:
        names = members.setdefault(one.question, [])
        if one.by not in names:
            names.append(one.by)
        votes.setdefault((*text_of(one), one.question), {})[one.by] = one
    found = []
    for said in votes.values():
        first = next(iter(said.values()))
        who = members[first.question]
        if len(who) < 2:
            continue
        value = decided([says_yes(said[name]) if name in said else None for name in who], rule)
        agreeing = [one for one in said.values() if says_yes(one) is value and value is not None]
        found.append(
            Verdict(
                first.reply,
                first.channel,
                first.question,
                f"{rule} of {', '.join(who)}",
                value,
                quote=next((one.quote for one in agreeing if one.quote), ""),
                pair=first.pair,
                side=first.side,
                missing="" if value is not None else next((m.missing for m in said.values() if m.missing), "unread"),
                placebo=first.placebo,
            )
        )
    return tuple(found)
