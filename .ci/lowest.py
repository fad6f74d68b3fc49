"""The lowest versions that pyproject.toml allows, as constraints for pip or uv: `make lowest` tests with them.

python .ci/lowest.py hub report > lowest.txt     # of the core and these extras
"""

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = project["optional-dependencies"]
for need in (*project["dependencies"], *(need for name in sys.argv[1:] for need in extras[name])):
    if found := re.fullmatch(r"([\w.-]+)>=([\d.]+)(,.*)?", need):
        print(f"{found[1]}=={found[2]}")
