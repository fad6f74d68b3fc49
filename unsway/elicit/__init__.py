"""How questions are put to a model (`prompts`) and how its replies are read (`parse`)."""
