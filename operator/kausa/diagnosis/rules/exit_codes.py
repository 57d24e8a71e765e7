"""What exit codes mean, as far as shells, kernels and container runtimes agree on it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Meaning", "meaning_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a code says by itself: a clause for the summary, and a sentence or two of why."""

    clause: str = ""
    why: str = ""


_SIGNAL = 128
_NOTHING = Meaning()
_MEANINGS = {
    2: Meaning(
        clause="wrong use of a command, or a Go panic",
        why="Shells and many programs end with 2 when they are called wrongly, and Go when it "
        "panics.",
    ),
    125: Meaning(
        clause="the container runtime itself failed",
        why="125 is the container tool's own failure before the program was run.",
    ),
    126: Meaning(
        clause="the command is not executable",
        why="126 says that the command was found and cannot be run: no permission to execute it, "
        "or no program.",
    ),
    127: Meaning(
        clause="the command was not found",
        why="127 says that a shell did not find the command: it is misspelt, not in the image, or "
        "not in PATH.",
    ),
    128: Meaning(
        clause="the container could not be started",
        why="128 without a signal is the runtime's or an invalid argument of exit.",
    ),
    132: Meaning(
        clause="illegal instruction",
        why="The program uses an instruction that the node's processor does not have.",
    ),
    134: Meaning(
        clause="the program aborted itself",
        why="SIGABRT: an assertion failed, or the runtime gave up.",
    ),
    135: Meaning(
        clause="bus error", why="SIGBUS: memory that is not there, often a full /dev/shm."
    ),
    136: Meaning(clause="arithmetic error", why="SIGFPE: such as a division by zero."),
    137: Meaning(
        clause="killed with SIGKILL",
        why="SIGKILL comes from the kernel when memory runs out, from the kubelet after the grace "
        "period, or from somebody in the container; the status does not say OOMKilled.",
    ),
    139: Meaning(
        clause="segmentation fault",
        why="SIGSEGV: the program touched memory that is not its own; a fault in native code, or "
        "an image that does not fit the node.",
    ),
    143: Meaning(
        clause="told to end with SIGTERM",
        why="SIGTERM: somebody, such as the kubelet, asked the program to end, and it did.",
    ),
    255: Meaning(
        clause="a fatal error without a code of its own",
        why="255 is -1: the program gave up without telling more.",
    ),
}


def meaning_of(code: int | None) -> Meaning:
    """What the code says; nothing for those that every program gives its own meaning."""
    return _MEANINGS.get(code, _NOTHING) if code is not None else _NOTHING
