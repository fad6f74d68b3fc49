"""Every fault for real: runs each module of this folder that has a `main`, and says what survived.

    python -m tests.faults [MODULE …]

Each prints a line for each class of fault: tried, survived, lost. Ends with 1 if anything was lost.
"""

from __future__ import annotations

import pkgutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent


def modules() -> list[str]:
    """The modules that have a `main`, by name."""
    names = sorted(info.name for info in pkgutil.iter_modules([str(HERE)]))
    return [name for name in names if name != "__main__" and "\ndef main(" in (HERE / f"{name}.py").read_text("utf-8")]


def main() -> int:
    """Run the modules that are named, or all, each in a process of its own; returns 1 if one of them lost anything."""
    failed = []
    for name in sys.argv[1:] or modules():
        start = time.monotonic()
        done = subprocess.run([sys.executable, "-m", f"tests.faults.{name}"], cwd=HERE.parent.parent)
        failed += [name] * (done.returncode != 0)
        print(f"== {name}: {time.monotonic() - start:.0f} s", flush=True)
    print(f"Lost something: {', '.join(failed)}." if failed else "Nothing was lost.", flush=True)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
