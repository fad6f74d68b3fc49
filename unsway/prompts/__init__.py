"""How a question is put."""
