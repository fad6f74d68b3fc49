"""Plans a study: calls, dollars, minutes, power, and how far such plans are off."""
