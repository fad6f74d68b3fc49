"""How often replies are read wrongly or not at all, on replies that were written without knowing the reader.

In: files of replies, one JSON object a line (default: the eight blind rounds kept with the tests). Out: a table of what was
read wrongly and what was left unread, by language and by side; exit code 1 if a goal is missed.

    python benchmarks/reading.py [FILE …] [--show]

Rows: `text`, `options` or `n_options`, `expect` (a letter, or "?" where the reply commits to none), `agrees` (whether its
answer is the one that was cued), `lang`, `kind`, and optionally `reasoning` and `stop`. Wrong: a letter other
than the expected one. Unread: no letter where one is expected. The two sides (replies that follow the cue, and others)
must not differ, because what is lost on one side alone moves the number that is measured.

Goals, for replies that were not used to improve the reader: at most 0.5 % wrong and 3 % unread in English, at most 2 %
wrong in other languages, and an interval of the difference between sides that holds 0 (95 %, Newcombe 1998, method 10).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from math import hypot
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from unsway.readers.parse import PARSER, read
from unsway.stats.intervals import wilson

DATA = Path(__file__).parent.parent / "tests" / "data"
ROUNDS = tuple(DATA / f"replies_blind{i}.jsonl" for i in range(1, 9))
KEYS = ("options", "n_options", "reasoning", "stop")
MOST_WRONG = {"en": 0.005, "other": 0.02}
MOST_UNREAD = {"en": 0.03}


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The replies of a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def judged(row: dict[str, Any]) -> tuple[str, str, str]:
    """How a reply was read: "right", "wrong" or "unread"; the letter that was read, or "?"; and the rule."""
    answer = read(row["text"], **{key: row[key] for key in KEYS if row.get(key) is not None})
    letter = "?" if answer.choice is None else ascii_uppercase[answer.choice]
    return "right" if letter == row["expect"] else "unread" if letter == "?" else "wrong", letter, answer.rule


def share(hits: int, n: int) -> str:
    """A share in per cent with its interval (Wilson)."""
    if not n:
        return "–"
    low, high = wilson(hits, n)
    return f"{hits} of {n}: {100 * hits / n:.2f} % ({100 * low:.1f} to {100 * high:.1f})"


def difference(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float, float]:
    """The difference of two shares and its interval."""
    (p, (p_low, p_high)), (q, (q_low, q_high)) = ((h / n, wilson(h, n)) for h, n in (first, second))
    return p - q, p - q - hypot(p - p_low, q_high - q), p - q + hypot(p_high - p, q - q_low)


def table(rows: Sequence[dict[str, Any]]) -> tuple[list[str], bool]:
    """The lines of the table, and whether every goal is met."""
    results = [(row, judged(row)[0]) for row in rows]
    lines, good = [], True
    for group in ("en", "other"):
        counts = {}
        for side in (None, True, False):
            group_rows = [
                (row, result)
                for row, result in results
                if (row["lang"] == "en") == (group == "en") and side in (None, row["agrees"])
            ]
            wrong = sum(result == "wrong" for _, result in group_rows)
            unread = sum(result == "unread" for _, result in group_rows)
            readable = sum(row["expect"] != "?" for row, _ in group_rows)
            counts[side] = {"wrong": (wrong, len(group_rows)), "unread": (unread, readable)}
            name = f"{group}, {'all' if side is None else 'follows the cue' if side else 'does not'}"
            lines.append(f"{name:24} wrong {share(wrong, len(group_rows)):38} unread {share(unread, readable)}")
            if side is None and group_rows:
                good &= wrong / len(group_rows) <= MOST_WRONG[group] and unread / max(1, readable) <= MOST_UNREAD.get(
                    group, 1.0
                )
        for kind in ("wrong", "unread"):
            if all(counts[side][kind][1] for side in (True, False)):
                gap, low, high = difference(counts[True][kind], counts[False][kind])
                interval = f"({100 * low:+.1f} to {100 * high:+.1f})"
                lines.append(f"{group}, {kind}, difference between sides {100 * gap:+.2f} points {interval}")
                good &= low <= 0 <= high
    return lines, good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, default=ROUNDS)
    parser.add_argument("--show", action="store_true", help="print each reply that was not read as expected")
    args = parser.parse_args()
    all_good = True
    print(PARSER)
    for path in args.files:
        rows = rows_of(path)
        lines, good = table(rows)
        print(f"\n{path.name}, {len(rows)} replies{'' if good else '   ✗'}")
        print("\n".join(lines))
        all_good &= good
        for row in rows if args.show else ():
            result, letter, rule = judged(row)
            if result != "right":
                print(
                    f"{result:7}{row['id']} {row['lang']} expects {row['expect']}, {letter} ({rule}): {row['text']!r}"
                )
    return 0 if all_good else 1


if __name__ == "__main__":
    raise SystemExit(main())
