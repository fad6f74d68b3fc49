"""Verdicts on replies: blind labels by people, and a model as a second reader.

In: replies of a study, or others' labels as JSONL. Out: `FOLDER/labels/items.jsonl`, the replies shown; `labels.jsonl`, every
click; and how well labellers agree. `items` selects what is shown, `label_store` stores it, `foreign_labels` imports and
exports, `label_page` serves the page, `agreement` compares labellers.

The two questions are those of the study of coherence in arXiv 2403.05518: of its 452 biased replies, labelled blind, 52 %
of the base's were coherent.
"""
