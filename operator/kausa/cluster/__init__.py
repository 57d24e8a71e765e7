"""Reading Kubernetes: credentials, a small client, and the typed watch."""
