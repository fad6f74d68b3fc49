"""How a reply is read."""
