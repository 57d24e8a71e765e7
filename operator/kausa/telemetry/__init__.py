"""How the operator is seen from outside: its log lines (metrics and traces come later)."""
