"""unsway: measure what sways a language model's reasoning, and train it away."""
