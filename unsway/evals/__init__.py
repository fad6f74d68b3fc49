"""Inspect's own door: the task, its scorer, the registry entry and the viewer."""
