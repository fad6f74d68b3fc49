"""What a study takes: calls, dollars, minutes and power."""
