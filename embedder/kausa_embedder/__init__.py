"""The embedding worker: texts in, vectors out. It knows nothing of the operator."""
