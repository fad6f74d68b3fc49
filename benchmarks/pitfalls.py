"""Ways in which a study of cues misleads, and whether the package is right about them: simulated studies of known truth.

In: nothing. Out: a table for each pitfall; exit code 1 if the package is wrong about one.

    python benchmarks/pitfalls.py --quick                      # under a minute
    python benchmarks/pitfalls.py                              # five times as many studies
    python benchmarks/pitfalls.py missing chance               # some of them
    python benchmarks/pitfalls.py --write docs/coverage.md     # and into the page

In `pitfalls_counting.py`: `missing`, answers that are unread because of the cue; `own`, ratios of arms that count on
different questions; `selection`, ratios to a weak base; `chance`, biases whose clean rate is 0 by definition.
In `pitfalls_planning.py`: `planned`, the power a plan promises; `failed`, few training seeds, and failed ones; `order`,
questions sorted by source; `proxy`, two methods with one base; `reader`, a first reader with errors.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pitfalls_counting as counting
import pitfalls_planning as planning
from coverage import written
from pitfalls_counting import Section


def sections(quick: bool, chosen: tuple[str, ...]) -> Iterator[tuple[str, list[str], bool]]:
    """Name, table and verdict of every section that was chosen, or of all."""
    n_draws = 40 if quick else 200
    all_sections: dict[str, Callable[[], Section]] = {
        "missing": lambda: counting.missing_section(n_draws),
        "own": lambda: counting.own_section(n_draws),
        "selection": lambda: counting.selection_section(4 * n_draws),
        "chance": lambda: counting.chance_section(max(30, n_draws // 2)),
        "planned": lambda: planning.planned_section(5 * n_draws),
        "failed": lambda: planning.failed_section(2 * n_draws),
        "order": lambda: planning.order_section(n_draws // 2),
        "proxy": lambda: planning.proxy_section(n_draws),
        "reader": lambda: planning.reader_section(n_draws),
    }
    for name in chosen or all_sections:
        yield name, *all_sections[name]()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chosen", nargs="*", help="sections; all by default")
    parser.add_argument("--quick", action="store_true", help="a fifth of the studies")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    args = parser.parse_args()
    start, tables, bad = time.monotonic(), {}, []
    for name, lines, good in sections(args.quick, tuple(args.chosen)):
        tables[name] = lines
        bad += [] if good else [name]
        print(f"\n{name}", *lines, sep="\n", flush=True)
    if args.write:
        args.write.write_text(written(args.write, tables), encoding="utf-8")
    print(f"\n{time.monotonic() - start:.0f} s. Wrong about: {', '.join(bad) or 'none'}.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
