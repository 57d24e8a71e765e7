"""Publishing: streams to resources, resources to diagnoses, diagnoses to status. Thin."""
