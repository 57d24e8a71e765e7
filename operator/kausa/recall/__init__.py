"""Recollection: from a failure, or a question, to what is like it."""
