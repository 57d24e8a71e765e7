"""Citations counted from the document of an evaluation, by the audit that knows no checker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.citation_audit import Audit, audit, audit_all

__all__ = ["audit_files", "audits_of"]


def audit_files(files: list[Path]) -> int:
    """Print what was counted; 1 where anything was invented, or nothing could be counted."""
    invented = answers = 0
    for file in files:
        document = json.loads(file.read_text())["model"]
        total = audit_all(audits_of(document))
        invented += total.invented
        answers += total.answers
        print(
            f"{file.name}: {document['name']}, {total.answers} answers, {total.citations} "
            f"citations, {total.checked} names, numbers and quotes looked up: "
            f"{total.invented} invented"
        )
        for what in (*total.unknown_ids, *total.unsupported, *total.uncited):
            print(f"  {what}")
    if not answers:
        print("There is no answer in it, so nothing was counted.")
    return 1 if invented or not answers else 0


def audits_of(document: dict[str, Any]) -> Iterator[Audit]:
    """The audit of every answer that held, and of every diagnosis that a model decided."""
    for question in document["questions"]:
        if "reply" not in question:
            continue
        said = [("reply", question["reply"])]
        if question["decided"]:
            said.append(("published", question["published"]))
        for name, diagnosis in said:
            yield audit(
                evidence=question["evidence"],
                diagnosis=diagnosis,
                known=question["known"],
                name=f"{question['id']} ({name})",
            )
