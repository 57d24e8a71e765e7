"""The embedded vector store: Qdrant's own engine (Edge) in one worker process."""
