"""How the operator is seen from outside: its log lines, its metrics, its probes."""
