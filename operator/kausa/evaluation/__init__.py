"""How good the diagnoses are: cases with known causes, run and scored."""
