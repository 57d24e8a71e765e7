"""From a diagnosis to one with fixes that can be checked; the rules need not know of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from kausa.diagnosis.finding import Diagnosis, Fix
from kausa.diagnosis.remediation.images import may_pull
from kausa.diagnosis.remediation.memory import more_memory
from kausa.diagnosis.remediation.patches import is_whole, patch_command
from kausa.diagnosis.remediation.placement import place_anywhere
from kausa.diagnosis.remediation.probes import probe_fixes
from kausa.diagnosis.remediation.quotas import more_quota
from kausa.diagnosis.remediation.rollback import roll_back, undo
from kausa.diagnosis.remediation.services import right_port
from kausa.diagnosis.remediation.workload import Workload, workload_of
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category

__all__ = ["with_remedies"]

MOST_PATCHES = 2
"""A list of everything that might help helps nobody."""

_Builder = Callable[[Dossier, Diagnosis, Workload], Iterator[Fix]]
_BY_CATEGORY: Mapping[Category, tuple[_Builder, ...]] = {
    Category.OOM_KILLED: (more_memory,),
    Category.IMAGE_PULL: (may_pull,),
    Category.PROBE: (probe_fixes,),
    Category.CRASH_LOOP: (probe_fixes,),
    Category.SCHEDULING: (place_anywhere,),
}
_BLANK = re.compile(r"<[A-Z][A-Z _-]*>")


def with_remedies(dossier: Dossier, diagnosis: Diagnosis) -> Diagnosis:
    """The diagnosis with patches in front of its fixes, where facts allow any.

    A patch that sets back what was changed goes before one that is computed, and makes it needless.
    Nothing is added where nothing fails.
    """
    if dossier.symptom is None:
        return diagnosis
    patches = [fix for each in _patches(dossier, diagnosis) if (fix := _finished(each)) is not None]
    patches = patches[:MOST_PATCHES]
    known = [each for each in diagnosis.fixes if not _is_covered(each, patches)]
    undone = any("rollout undo" in (each.command or "") for each in known)
    steps = [] if undone else list(undo(dossier, diagnosis))
    return replace(diagnosis, fixes=(*patches, *known, *steps))


def _patches(dossier: Dossier, diagnosis: Diagnosis) -> Iterator[Fix]:
    symptom = dossier.symptom
    category = diagnosis.category or (symptom.category if symptom is not None else None)
    workload = workload_of(dossier)
    if workload is not None:
        back = list(roll_back(dossier, diagnosis, workload))
        yield from (_with_keeper(each, workload) for each in back)
        if not any(_finished(each) for each in back) and category is not None:
            for build in _BY_CATEGORY.get(category, ()):
                for each in build(dossier, diagnosis, workload):
                    yield _with_keeper(each, workload)
    if category in (Category.QUOTA, Category.ADMISSION, Category.ROLLOUT, Category.JOB):
        yield from more_quota(dossier, diagnosis)
    if category in (Category.SERVICE, Category.NETWORK, Category.DEPENDENCY):
        yield from right_port(dossier, diagnosis)


def _finished(fix: Fix) -> Fix | None:
    """With the command that applies the patch; None where the patch is not whole."""
    if fix.patch is None or not is_whole(fix.patch):
        return None
    return replace(fix, command=fix.command or patch_command(fix.patch))


def _with_keeper(fix: Fix, workload: Workload) -> Fix:
    if not workload.kept_by:
        return fix
    said = f" {workload.kept_by} writes this object: change it there too, or it comes back."
    return replace(fix, rationale=fix.rationale + said)


def _is_covered(fix: Fix, patches: list[Fix]) -> bool:
    """Whether a command with a blank in it says what one of the patches says in full."""
    command = fix.command or ""
    if not _BLANK.search(command):
        return False
    fields = {"set resources": "resources", "set image": "image"}
    return any(
        verb in command and any(f"'{field}'" in repr(each.patch) for each in patches)
        for verb, field in fields.items()
    )
