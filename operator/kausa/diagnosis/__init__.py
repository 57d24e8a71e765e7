"""From evidence to a diagnosis: rules first, a model only where rules are not sure."""
