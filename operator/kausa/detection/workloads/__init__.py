"""Deciding what fails beside Pods: one module a kind, pure functions from object to verdict."""
