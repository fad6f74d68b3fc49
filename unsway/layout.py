"""The layout of a study's folder: the name of every file and folder in it. No other module spells one.

In: nothing. Out: names, each relative to the study's folder; docs/studies.md has the same list.

    Path("runs/mine") / layout.REPLIES
"""

from __future__ import annotations

import re

STUDY = "study.json"
"""The study that ran there last."""
QUESTIONS = "questions.jsonl"
"""Every question once; the pairs refer to them by id."""
PAIRS = "pairs.jsonl"
"""Both prompts of every pair."""
REPLIES = "replies.jsonl"
"""Every reply as it arrived; append-only."""
CLAIMS = "replies.claims"
"""An empty file whose locks say which prompts a process is asking now."""
ARMS = "arms.json"
"""The models that were asked, each under at most one intervention, and the questions that were skipped."""
ASKED = "asked.jsonl"
"""What was asked instead of a prompt, under an intervention."""
OUTCOMES = "outcomes.jsonl"
"""What was read in each reply, so that a later reader can be compared with it."""
FAILURES = "failures.jsonl"
"""Calls to a provider that failed, and how."""
UNTIL = "until.json"
"""How far each cell got when asking stops at a width of its interval."""
PLAN = "plan.json"
"""The newest plan."""
PAST = "past.jsonl"
"""What each run took: prompts, tokens, seconds."""
RUNNING = "running"
"""A small file for each call that is running, renewed every second."""
LOGS = "logs"
"""Inspect's logs (`inspect view` opens them)."""
INTERVENTIONS = "interventions"
"""What an intervention did to the prompts: the examples it showed, the prompts it could not change."""
DATA = "data"
"""Training rows, a folder for each model and recipe."""
TRAINED = "trained"
"""Checkpoints, a folder for each training."""
JUDGES = "judges"
"""What judges said, a folder for each."""
VERDICTS = "verdicts.jsonl"
"""A row for each question about a reply that a judge was asked; derived from what they said."""
EFFECTS = "effects/panel.json"
"""What the trainings cost or broke: every number of the side effects with its verdict."""
EFFECT_ITEMS = "effects/items.jsonl"
"""The prompts of the side effects, each with what its score needs; their replies stand with all others."""
LABELS = "labels"
"""What people said of replies (`unsway label`)."""
LABEL_ITEMS = "labels/items.jsonl"
"""The replies that were drawn for labelling."""
LABEL_ROWS = "labels/labels.jsonl"
"""A row for each label."""
SECOND_READER = "second_reader"
"""What a second reader was asked, and its replies."""
SECOND_READINGS = "second_reader/verdicts.jsonl"
"""What it read in which of the study's replies."""
PAGE = "report.html"
"""The page of `unsway report`."""
SLIDES = "slides.pptx"
"""The slides of `unsway report --slides`; the HTML deck stands next to them."""
SECONDS = "seconds.txt"
"""How long `unsway demo` took so far."""


def file_name(text: str) -> str:
    """A text, such as the name of a model, as a part of a file's name."""
    return re.sub(r"[^\w.-]+", "_", text)
