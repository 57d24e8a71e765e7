"""Deciding what fails: pure functions from one object to symptoms, and what makes two the same."""
