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
    ballots = list(votes)
    yes, no, n = ballots.count(True), ballots.count(False), len(ballots)
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
    all_verdicts = tuple(verdicts)
    members: dict[str, list[str]] = {}
    votes: dict[tuple[object, ...], dict[str, Verdict]] = {}
    for verdict in all_verdicts:
        names = members.setdefault(verdict.question, [])
        if verdict.by not in names:
            names.append(verdict.by)
        votes.setdefault((*text_of(verdict), verdict.question), {})[verdict.by] = verdict
    rows = []
    for by_judge in votes.values():
        first = next(iter(by_judge.values()))
        judges = members[first.question]
        if len(judges) < 2:
            continue
        value = decided([says_yes(by_judge[name]) if name in by_judge else None for name in judges], rule)
        supporters = [verdict for verdict in by_judge.values() if says_yes(verdict) is value and value is not None]
        rows.append(
            Verdict(
                first.reply,
                first.channel,
                first.question,
                f"{rule} of {', '.join(judges)}",
                value,
                quote=next((verdict.quote for verdict in supporters if verdict.quote), ""),
                pair=first.pair,
                side=first.side,
                missing=""
                if value is not None
                else next((verdict.missing for verdict in by_judge.values() if verdict.missing), "unread"),
                placebo=first.placebo,
            )
        )
    return tuple(rows)
