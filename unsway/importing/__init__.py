"""What others sampled: transcripts, Inspect logs and released prompts, as pairs and replies."""
