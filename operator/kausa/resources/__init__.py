"""The API that we own: FailureDiagnosis and Runbook as models, which generate their CRDs."""
