"""Evidence: what was read about a failure, numbered, and redacted before it leaves this package."""
