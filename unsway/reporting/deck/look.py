"""Colours and places that both decks share: the light colours of the page, as values."""

from __future__ import annotations

from unsway.reporting.plots import PRINT

INK, SOFT, LINES, HEAD = "#1c1e20", PRINT.soft, PRINT.line, "#f0f0ec"
CUE, ANSWER = "#ffe3a3", "#bfe0ea"
"""The grounds of cues and of answers that were read."""
TITLE_TOP, NOTE_TOP, NOTE_SIZE = 30.0, 502.0, 12.0
"""Points."""
