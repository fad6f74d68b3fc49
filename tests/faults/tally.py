"""One line for each class of fault: how often it was tried, survived, and lost something.

In: what came of each try. Out: a line on stdout, and the number of tries that lost something.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Tally:
    """The tries of one class of fault."""

    what: str
    tried: int = 0
    survived: int = 0
    lost: int = 0
    seen: list[str] = field(default_factory=list)
    """What was lost, in words."""

    def count(self, *problems: str) -> None:
        """Count a try; each problem is something that was lost."""
        self.tried += 1
        self.lost += bool(problems)
        self.survived += not problems
        self.seen += problems

    def add(self, tried: int, lost: int, problem: str = "") -> None:
        """Count many tries at once."""
        self.tried, self.lost, self.survived = self.tried + tried, self.lost + lost, self.survived + tried - lost
        self.seen += [problem] * bool(lost)

    def say(self, more: str = "") -> int:
        """Print the line, and below it what was lost; returns how many tries lost something."""
        told = f" ({more})" if more else ""
        print(f"{self.what}: {self.tried} tried, {self.survived} survived, {self.lost} lost{told}", flush=True)
        for problem in self.seen:
            print(f"  lost: {problem}", flush=True)
        return self.lost
