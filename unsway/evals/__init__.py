"""unsway inside Inspect: the task, its scorer, the registry entry and the viewer."""
