"""Engines that generate with local models, each in its own file."""
