"""A Kubernetes for tests and for the demo: the caller's, one of kind, or one of plain processes.

Standard library only: it runs before any virtual environment exists. Everything that it changes on
a machine is written down before it is changed, and is undone from that record.
"""
