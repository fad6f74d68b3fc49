"""Models to ask or train: names, weights, sessions, endpoints, secrets and the Inspect provider."""
