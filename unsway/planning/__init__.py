"""What a study will cost and what it can show: calls, dollars, minutes, power, and how far such plans are off."""
