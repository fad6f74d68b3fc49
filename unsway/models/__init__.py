"""What can be asked or trained: names, weights, sessions, endpoints, secrets and the Inspect provider."""
