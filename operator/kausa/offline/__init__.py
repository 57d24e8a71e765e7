"""The whole pipeline on files: what fails in a snapshot, and why, without a cluster."""
