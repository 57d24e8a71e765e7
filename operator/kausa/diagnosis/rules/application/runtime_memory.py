"""Out of memory inside a runtime: its own limit was reached before the kernel's."""

from __future__ import annotations

import re

from kausa.diagnosis.rules.application.idea import Idea, Told, any_of
from kausa.evidence.dossier import Dossier
from kausa.resources.category import Category
from kausa.resources.diagnosis import Risk

__all__ = ["RUNTIME_MEMORY_IDEAS"]

_HEAP = re.compile(
    r"-Xmx\d{1,9}[kKmMgG]?|-XX:MaxRAMPercentage=[\d.]{1,6}|--max-old-space-size=\d{1,9}"
)


def _against_limit(told: Told, dossier: Dossier) -> Told:
    """The container's limit and the heap that its command line sets."""
    symptom = dossier.symptom
    container = dossier.container(symptom.container if symptom is not None else None)
    if container is None:
        return {**told, "limit": "", "heap": ""}
    limit = str((container.resources.limits or {}).get("memory", ""))
    line = " ".join((*(container.command or ()), *(container.args or ())))
    heap = _HEAP.search(line)
    return {**told, "limit": limit, "heap": heap[0] if heap is not None else ""}


RUNTIME_MEMORY_IDEAS: tuple[Idea, ...] = (
    Idea(
        rule="application.accelerator-memory",
        category=Category.CRASH_LOOP,
        look=any_of(
            r"(?P<what>CUDA out of memory[^\n]{0,100}|CUDA_ERROR_OUT_OF_MEMORY|cudaMalloc failed: "
            r"out of memory|CUBLAS_STATUS_ALLOC_FAILED|HIP out of memory[^\n]{0,60})"
        ),
        summary="container {container} has run out of the GPU's memory: {what}",
        cause="The memory of the GPU is not enough for container {container}: {what}.",
        explanation="The model or batch is too large for the device, or another process uses it "
        "too.",
        advice="Use a smaller batch or model, or a GPU with more memory",
        confidence=94,
    ),
    Idea(
        rule="application.runtime-memory",
        category=Category.OOM_KILLED,
        look=any_of(
            r"(?P<what>java\.lang\.OutOfMemoryError: (?!unable to create)[^\n]{1,60})",
            r"(?P<what>JavaScript heap out of memory)",
            r"(?P<what>Reached heap limit Allocation failed)",
            r"(?P<what>fatal error: runtime: (?:out of memory|cannot allocate memory))",
            r"(?P<what>\bMemoryError\b[^\n]{0,60}|std::bad_alloc|OutOfMemoryException|Cannot "
            r"allocate memory|\bENOMEM\b|failed to allocate memory|NoMemoryError|memory "
            r"allocation of \d{1,15} bytes failed|Allowed memory size of \d{1,15} bytes "
            r"exhausted[^\n]{0,40}|insufficient memory for the Java Runtime Environment|Could not "
            r"reserve enough space for[^\n]{0,60}|ran out of memory|\bout of memory\b)",
        ),
        summary="container {container} runs out of memory inside its runtime: {what}<< (limit "
        "{limit})>>",
        cause="The program in container {container} ran out of memory: {what}.<< The container's "
        "memory limit is {limit}.>><< Its command sets {heap}.>>",
        explanation="The runtime's own limit (heap) was reached, or the container's limit left no "
        "room for more.",
        advice="Raise the runtime's heap together with the container's memory limit, or find the "
        "leak",
        command="kubectl -n {namespace} top pod {pod} --containers",
        risk=Risk.MEDIUM,
        confidence=92,
        complete=_against_limit,
    ),
)
