"""Imports what others sampled: transcripts, Inspect logs and released prompts become pairs and replies."""
