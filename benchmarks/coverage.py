"""Do nominal 95 % intervals cover 95 %? Every interval of `unsway.stats`, at small n and extreme rates.

In: nothing. Out: tables; exit code 1 if a cell leaves 93 to 98 % although an interval could stay inside.

    python benchmarks/coverage.py --quick                       # under a minute
    python benchmarks/coverage.py                               # with the rivals; a few minutes
    python benchmarks/coverage.py --write docs/coverage.md      # and into the page

Paired differences and rates are exact (`coverage_exact.py`); the rest is simulated (`coverage_simulated.py`,
`coverage_agreement.py`).
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import coverage_agreement as readers
import coverage_exact as exact
import coverage_simulated as simulated


def sections(quick: bool) -> Iterator[tuple[str, list[str], bool]]:
    """Name, table and verdict of every section."""
    n_draws = 300 if quick else 2000
    yield "paired", *exact.paired_section(n_draws)
    yield "space", *exact.space_section(n_draws)
    yield "rates", *exact.rate_section(n_draws)
    yield "samples", *simulated.samples_section(n_draws)
    yield "models", *simulated.models_section(n_draws)
    yield "ratios", *simulated.ratios_section(n_draws // 2)
    if not quick:
        yield "seeds", *simulated.seeds_section(n_draws // 2)
        yield "rivals", *simulated.rivals_section(n_draws)
        yield "kappa", *readers.kappa_section(n_draws)


def written(page: Path, tables: dict[str, list[str]]) -> str:
    """The page with its tables replaced: each stands between `<!-- name -->` and `<!-- /name -->`."""
    text = page.read_text(encoding="utf-8")
    for name, lines in tables.items():
        body = "\n".join(lines)
        text, times = re.subn(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", rf"\g<1>{body}\n\g<2>", text, flags=re.DOTALL
        )
        if times != 1:
            raise SystemExit(f"{page} has {times} places for the table {name!r}; it needs one.")
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer draws; without rivals, training seeds and readers")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    args = parser.parse_args()
    start, tables, bad = time.monotonic(), {}, []
    for name, lines, good in sections(args.quick):
        tables[name] = lines
        bad += [] if good else [name]
        print(f"\n{name}", *lines, sep="\n", flush=True)
    if args.write:
        args.write.write_text(written(args.write, tables), encoding="utf-8")
    print(f"\n{time.monotonic() - start:.0f} s. Out of the band without having to be: {', '.join(bad) or 'none'}.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
