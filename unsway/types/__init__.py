"""The eight values that stages pass to each other, and the small sums they use. Standard library only.

    Question → Pair → Reply → Outcome → Estimate
                 └── + Reply → Example → Checkpoint → (measured again)

A prompt consists of turns, which consist of tagged parts; a bias inserts `cue` parts or turns. So every insertion bias has
`pair.biased.stripped() == pair.clean`. All values are frozen and made of tuples. Fractions are never percent; a missing
value is `None`, next to the reason.
"""

from unsway.types.prompts import ANSWERS, DECLINES, OUTCOMES, Message, Part, PartKind, Prompt, Question, Role, Turn
from unsway.types.readings import AnyChange, AwayFrom, Excluded, Reading, Side, Status, Target, Toward
from unsway.types.rows import (
    ArmKey,
    Checkpoint,
    Estimate,
    Example,
    ExampleKind,
    MissingVerdict,
    Mode,
    NoReasoning,
    Outcome,
    Pair,
    Placebo,
    Reply,
    Rule,
    Stop,
    Thought,
    ThoughtTest,
    Verdict,
    is_encrypted,
)
from unsway.types.settings import Effort, Settings

__all__ = [
    "ANSWERS",
    "DECLINES",
    "OUTCOMES",
    "AnyChange",
    "ArmKey",
    "AwayFrom",
    "Checkpoint",
    "Effort",
    "Estimate",
    "Example",
    "ExampleKind",
    "Excluded",
    "Message",
    "MissingVerdict",
    "Mode",
    "NoReasoning",
    "Outcome",
    "Pair",
    "Part",
    "PartKind",
    "Placebo",
    "Prompt",
    "Question",
    "Reading",
    "Reply",
    "Role",
    "Rule",
    "Settings",
    "Side",
    "Status",
    "Stop",
    "Target",
    "Thought",
    "ThoughtTest",
    "Toward",
    "Turn",
    "Verdict",
    "is_encrypted",
]
