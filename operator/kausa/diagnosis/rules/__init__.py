"""Rules: one module a domain, each rule a pure function from a dossier to a finding."""
