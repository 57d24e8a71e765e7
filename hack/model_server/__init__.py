"""A real model server for tests, for the evaluation and for trying things out."""
