"""The back-end `openai`: jobs at OpenAI, or at a server that speaks its fine-tuning API."""

from unsway.backends.openai.backend import OpenAi

__all__ = ["OpenAi"]
