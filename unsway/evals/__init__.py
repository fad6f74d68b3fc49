"""Inspect's own door: tasks, the scorer, the registry entry and the viewer."""
