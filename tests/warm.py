"""What a process does once, when it first measures: done where this is imported, before others are forked from it."""

from inspect_ai.model import get_model_info

from unsway import biases, readers, sources

for found in (biases, readers, sources):
    found.names()  # which imports each file of the room
get_model_info("none")  # Inspect reads its tables of models
