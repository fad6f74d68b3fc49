"""Models are asked here, through Inspect AI: tasks, providers and engines, and the store of replies."""

from unsway.run.asking import ask, run
from unsway.run.models import Session, Subject, session, subject

__all__ = ["Session", "Subject", "ask", "run", "session", "subject"]
