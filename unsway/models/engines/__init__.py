"""How a local model generates: one engine a file."""
