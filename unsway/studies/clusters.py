"""Clusters by name, as the command line spells them.

In: `ray`, or `ray:ADDRESS`. Out: what `unsway.studies.run` takes as `on`.
"""

from __future__ import annotations

from typing import Any

from unsway.errors import UnknownName
from unsway.studies.executors import Cluster


def executor(name: str, **options: Any) -> Cluster:
    """Return the cluster with a name: `ray` starts one here, `ray:ADDRESS` joins a running one (`auto` finds it).

    Args:
        name: Its name.
        options: Fields of `unsway.studies.on_ray.Ray`, such as `gpus=2`.

    Raises:
        UnknownName: There is no cluster with that name.
        MissingExtra: Ray is not installed.
    """
    kind, _, address = name.partition(":")
    if kind != "ray":
        raise UnknownName("executor", name, ("ray", "ray:auto", "ray:HOST:PORT"))
    from unsway.studies.on_ray import Ray

    return Ray(address=address or None, **options)
