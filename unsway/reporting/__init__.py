"""What a person reads: the table, one self-contained page, and how both look in a notebook.

In: `Results`. Out: text, Markdown, plain rows, one HTML file. Altair, Jinja2 and rich are imported where they are used.
"""
