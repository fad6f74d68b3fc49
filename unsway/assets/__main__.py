"""`python -m unsway.assets NAME…`: fetch assets into the cache, for later use without a network."""

from __future__ import annotations

import sys

from unsway import logs
from unsway.assets.cache import assets
from unsway.assets.catalogue import find
from unsway.assets.fetching import fetch, model_folder
from unsway.errors import UnswayError


def main(names: list[str]) -> int:
    """Fetch each asset, and prepare models for loading. Returns the exit code."""
    logs.show()
    kinds = {status.name: status.kind for status in assets()}
    try:
        for name in names:
            if (asset := find(name)).explicit:
                print(f"{name}: {asset.summary}. Licence: {asset.licence}.")
            folder = model_folder(name) if kinds.get(name) == "model" else fetch(name)
            print(f"{name}: {folder}")
    except UnswayError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
