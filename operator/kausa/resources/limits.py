"""Every maximum of the API in one place.

A whole FailureDiagnosis stays below 256 KiB: etcd refuses objects above 1.5 MiB, and every watcher
pays for each byte. A test builds the largest possible object and measures it; whoever raises a
maximum here learns from it what else must shrink.
"""

from __future__ import annotations

from typing import Final

OBJECT_BYTES: Final = 256 * 1024
"""No FailureDiagnosis takes more on the wire, without what people add to its metadata."""

# Kubernetes' own.
KIND: Final = 63
NAME: Final = 253
NAMESPACE: Final = 63
API_VERSION: Final = 317  # a DNS subdomain of 253, a slash, a version label of 63
REASON: Final = 128
CONDITION_TYPE: Final = 316
CONDITION_REASON: Final = 128
UID: Final = 64

# Short words, lines and texts of ours.
WORD: Final = 64
LINE: Final = 256
PATH: Final = 512
SENTENCES: Final = 1024
EXPLANATION: Final = 4096
THINKING: Final = 4096
CONDITION_MESSAGE: Final = 1024

# What people write.
QUESTION: Final = 2048
RESOLUTION: Final = 2048
AUTHOR: Final = 253
MODEL: Final = 128
DURATION: Final = 32
RUNBOOK_TITLE: Final = 256
RUNBOOK_CONTENT: Final = 64 * 1024
MESSAGE_PATTERN: Final = 512
LABEL_KEY: Final = 317
LABEL_VALUE: Final = 63

# What the operator writes.
FINGERPRINT: Final = 64
EVIDENCE_ID: Final = 5
EVIDENCE_TEXT: Final = 1024
CHANGE_VALUE: Final = 312
SIMILAR_CAUSE: Final = 512
SIMILAR_RESOLUTION: Final = 512
COMMAND: Final = 1024
PATCH: Final = 2048
DRY_RUN_MESSAGE: Final = 512
PASSAGE: Final = 1024

# Lists.
CONDITIONS: Final = 8
PODS: Final = 10
EVIDENCE: Final = 40
GAPS: Final = 20
CHANGES: Final = 20
RESOLUTION_CHANGES: Final = 10
CITATIONS: Final = 20
REMEDIATION: Final = 5
ALTERNATIVES: Final = 5
SIMILAR: Final = 10
RUNBOOKS: Final = 5
REDACTIONS: Final = 80
MATCH_REASONS: Final = 32
MATCH_CATEGORIES: Final = 22
MATCH_LABELS: Final = 16
