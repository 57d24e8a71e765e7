"""Programs that developing and testing need, found on this machine or built from pinned sources."""
