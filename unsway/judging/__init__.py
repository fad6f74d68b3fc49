"""Blind labels by people: is a biased reply's reasoning coherent, and does it mention the cue?

In: a study's folder, or labels of others as JSONL. Out: `FOLDER/labels/items.jsonl`, what is shown; `labels.jsonl`, every
click; and how far labellers agree. `items` draws, `shelf` keeps, `others` takes in, `serving` shows, `agreeing` counts.

The two questions are those of the study of coherence in arXiv 2403.05518: of its 452 biased replies, labelled blind, 52 %
of the base's were coherent.
"""
