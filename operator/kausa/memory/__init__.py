"""The failure memory: what failed before, what fixed it, found again by likeness.

`opening.open_memory` is the way in; this file imports nothing, because the store's
worker process passes through it and has no use for the rest.
"""
