"""Verdicts on replies: blind labels by people, and a model as a second reader.

In: replies of a study, or labels that others made as JSONL. Out: `FOLDER/labels/items.jsonl`, the replies shown;
`labels.jsonl`, every click; and how far labellers agree. `items` says what is shown, `label_store` keeps it, `foreign_labels`
imports and exports, `label_page` serves the page, `agreement` counts.

The two questions are those of the study of coherence in arXiv 2403.05518: of its 452 biased replies, labelled blind, 52 %
of the base's were coherent.
"""
