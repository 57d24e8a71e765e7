"""Why container runtimes cannot create or start a container, in the words of runc, crun and CRI."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kausa.resources.category import Category

__all__ = ["REFUSALS", "Refusal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One cause: the words that give it away, and how it is told."""

    name: str
    category: Category | None
    """None: the symptom's own."""
    pattern: re.Pattern[str]
    summary: str
    cause: str
    explanation: str
    advice: str
    confidence: int = 92


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I | re.S)


_Q = r"\\?[\"'`]?"

# The first that matches decides.
REFUSALS: tuple[Refusal, ...] = (
    Refusal(
        name="architecture",
        category=Category.CRASH_LOOP,
        pattern=_words(r"exec format error"),
        summary="container {container} cannot start: exec format error, image {image} is built "
        "for another architecture",
        cause="The runtime cannot run the program of container {container}: exec format error. "
        "Image {image} is built for another CPU architecture than that of the node, or its "
        "script lacks #!.",
        explanation="An image of amd64 does not run on arm64 and the reverse.",
        advice="Build the image for the node's architecture, or choose nodes that fit",
        confidence=95,
    ),
    Refusal(
        name="command-missing",
        category=Category.CRASH_LOOP,
        pattern=_words(
            rf"exec: {_Q}(?P<file>[^\"'\\:\s]{{1,300}}){_Q}: (?:executable file not found|stat "
            rf"[^:]{{1,300}}: no such file|no such file)|stat (?P<path>/[^\s:]{{1,300}}): no such "
            rf"file|executable file [`'\"]?(?P<name>[^`'\"\s]{{1,200}})"
            r"[`'\"]? not found|no such file or directory: (?P<other>/\S{1,200})|no command "
            r"specified"
        ),
        summary="container {container} cannot start: its command<< {file}>> does not exist in the "
        "image",
        cause="The command<< {file}>> of container {container} was not found in image {image} (no "
        "such file or directory, or not in PATH).<< Perhaps {meant} is meant.>>",
        explanation="The program was never run. Its command is misspelt, or the image does not "
        "have it.",
        advice="Correct the command of the container, or its image",
        confidence=94,
    ),
    Refusal(
        name="log-path",
        category=Category.STORAGE,
        pattern=_words(
            r"(?:symbolic link|symlink|log (?:file|path)|/var/log/(?:pods|"
            r"containers)).{0,600}?(?P<why>no space left on device|read-only file system|"
            r"permission denied|input/output error|no such file)"
        ),
        summary="container {container} cannot start: its log cannot be written on {node} ({why})",
        cause="The kubelet cannot make the log file of container {container} under /var/log on "
        "{node}: {why}.",
        explanation="Each container's log is a file on the node's disk; without it no container "
        "is started.",
        advice="Free space on the node's disk (logs, images), or mend its /var/log",
        confidence=94,
    ),
    Refusal(
        name="disk-full",
        category=Category.STORAGE,
        pattern=_words(r"no space left on device|disk quota exceeded"),
        summary="container {container} cannot start: no space left on the disk of {node}",
        cause="The runtime cannot create container {container}: no space left on device (the disk "
        "of {node} is full).",
        explanation="The runtime needs room for the container's writable layer.",
        advice="Free space on the node's disk: images, logs, stopped containers",
        confidence=94,
    ),
    Refusal(
        name="file-system",
        category=Category.NODE,
        pattern=_words(
            r"(?P<why>structure needs cleaning|input/output error|bad message|stale (?:nfs )?file "
            r"handle|superblock|corrupt(?:ed|ion)?|failed to mount rootfs|invalid checksum|"
            r"checksum mismatch|read-only file system|layer (?:not known|does not exist)|snapshot "
            r"\S{1,100} (?:does not exist|not found)|failed to (?:create|prepare|get) (?:snapshot|"
            r"extraction)|blob not found)"
        ),
        summary="container {container} cannot start: the runtime's storage on {node} is damaged "
        "({why})",
        cause="The runtime on {node} cannot mount the root file system of container {container}: "
        "{why}. The filesystem of the node's disk, or the runtime's snapshot on it, is "
        "corrupt.",
        explanation="The container's layers are on the node's disk; where they are damaged, no "
        "container of the image starts there.",
        advice="Drain the node and check its disk (fsck), or remove the image there and pull it "
        "anew",
        confidence=91,
    ),
    Refusal(
        name="memory-too-low",
        category=None,
        pattern=_words(
            r"minimum memory limit allowed is (?P<minimum>\d{1,6} ?\w{0,3})|container init was "
            r"OOM-killed|memory limit too low|set memory limit .{0,80}invalid argument"
        ),
        summary="container {container} cannot start: its memory limit<< of {limit}>> is below the "
        "minimum<< of {minimum}>>",
        cause="The runtime refuses container {container}: its memory limit<< of {limit}>> is too "
        "low<<, the minimum is {minimum}>>.",
        explanation="A container's first process needs a few MiB itself; runtimes refuse less.",
        advice="Raise the memory limit of container {container}",
        confidence=95,
    ),
    Refusal(
        name="resources",
        category=None,
        pattern=_words(
            r"(?P<what>cpu\.cfs_quota_us|cpu\.max|cpu\.shares|cpu\.weight|memory\.limit_in_bytes|"
            r"memory\.max|pids\.max|hugetlb[\w.]{0,40}|cgroup)[^\n]{0,200}?(?P<why>invalid "
            r"argument|device or resource busy|no such file or directory|permission denied|no "
            r"space left on device)"
        ),
        summary="container {container} cannot start: its limits cannot be set on {node} ({what}: "
        "{why})",
        cause="The runtime cannot set the resource limits (cgroup, {what}) of container "
        "{container} on {node}: {why}.",
        explanation="The limit is out of the range that the node's kernel accepts, or its cgroups "
        "are not in order.",
        advice="Check the limits of the container, and the cgroup driver of the node",
        confidence=90,
    ),
    Refusal(
        name="mount",
        category=Category.VOLUME,
        pattern=_words(
            r"(?:error mounting|failed to mount|mounting) \\?\"(?P<source>[^\"\\]{1,300})\\?\" to "
            r"rootfs(?: at \\?\"(?P<path>[^\"\\]{1,300})\\?\")?.{0,300}?(?P<why>not a directory|"
            r"no such file or directory|permission denied|read-only file system|operation not "
            r"permitted|are you trying to mount a directory onto a file[^?]{0,60})"
        ),
        summary="container {container} cannot start: {path} cannot be mounted ({why})",
        cause="The runtime cannot mount {source} at {path} of container {container}: {why}.",
        explanation="A file cannot be mounted over a directory, nor the reverse; a subPath that "
        "does not exist becomes a directory.",
        advice="Correct mountPath and subPath of the volume",
        confidence=92,
    ),
    Refusal(
        name="sub-path",
        category=Category.CONFIG,
        pattern=_words(
            r"(?:failed to (?:prepare|create) subPath (?:directory )?for volumeMount|"
            r"subPath)[^\n]{0,20}\\?\"?(?P<volume>[\w.-]{1,100})?\\?\"?(?P<why>.{0,200})"
        ),
        summary="container {container} cannot start: the subPath of its volume<< {volume}>> "
        "cannot be prepared",
        cause="The kubelet cannot prepare the subPath of volume {volume} for container "
        "{container}<<: {why}>>.",
        explanation="The subPath is invalid, leads out of the volume, or the volume is read-only.",
        advice="Correct the subPath of the volume",
        confidence=90,
    ),
    Refusal(
        name="working-directory",
        category=Category.CONFIG,
        pattern=_words(
            r"(?:chdir to cwd|mkdir|working directory) "
            r"\(?\\?\"?(?P<path>/[^\"\\\s)]{0,300})\\?\"?.{0,100}?(?P<why>permission denied|no "
            r"such file or directory|not a directory|read-only file system)"
        ),
        summary="container {container} cannot start: its working directory {path} cannot be used "
        "({why})",
        cause="The runtime cannot change to the working directory {path} of container "
        "{container}: {why}.",
        explanation="The directory is not in the image, or the container's user may not enter it.",
        advice="Correct workingDir, or the directory's owner and mode",
        confidence=92,
    ),
    Refusal(
        name="user-unknown",
        category=Category.CONFIG,
        pattern=_words(
            r"(?:unable to find|no matching entries in passwd|unknown) "
            r"user:? ?\\?\"?(?P<user>[\w.-]{0,60})|no matching entries in passwd file"
        ),
        summary="container {container} cannot start: its user<< {user}>> does not exist in the "
        "image",
        cause="The user<< {user}>> that container {container} is to run as does not exist in "
        "image {image}.",
        explanation="A user given by name must be in the image's /etc/passwd; a number need not.",
        advice="Use a numeric user, or one that the image has",
        confidence=92,
    ),
    Refusal(
        name="security-profile",
        category=Category.PERMISSION,
        pattern=_words(
            r"(?P<what>apparmor|seccomp|selinux)[^\n]{0,200}?(?P<why>not (?:found|loaded|"
            r"supported|exist)|permission denied|invalid argument|no such file[^\n]{0,20}|cannot "
            r"load|operation not permitted|failed[^\n]{0,60})"
        ),
        summary="container {container} cannot start: its {what} profile: {why}",
        cause="The runtime cannot apply the {what} profile of container {container}: {why}.",
        explanation="A profile of the security context must be on the node before the container "
        "starts.",
        advice="Load the profile onto the nodes, or correct the security context",
        confidence=90,
    ),
    Refusal(
        name="device",
        category=Category.NODE,
        pattern=_words(
            r"(?P<why>could not select device driver[^\n]{0,80}|nvidia-container-cli[^\n]{0,120}|"
            r"unresolvable CDI devices?[^\n]{0,100}|no such device[^\n]{0,40}|nvml "
            r"error[^\n]{0,60}|driver/library version mismatch)"
        ),
        summary="container {container} cannot start: a device of {node} is not usable: {why}",
        cause="The runtime cannot give container {container} a device of {node}: {why}.",
        explanation="The driver or the runtime's hook for it does not work on that node.",
        advice="Check the node's device driver and its container toolkit",
        confidence=90,
    ),
    Refusal(
        name="runtime-handler",
        category=Category.NODE,
        pattern=_words(
            r"no runtime for \\?\"?(?P<handler>[\w.-]{1,60})|unknown (?:OCI "
            r")?runtime:? ?\\?\"?(?P<runtime>[\w.-]{1,60})|runtime "
            r"\\?\"?(?P<other>[\w.-]{1,60})\\?\"? (?:is )?not (?:found|configured)"
        ),
        summary="container {container} cannot start: {node} does not have its runtime<< "
        "{handler}>>",
        cause="The node has no container runtime handler<< {handler}>> configured, which "
        "container {container} asks for.",
        explanation="A RuntimeClass names a handler that must be configured on the node.",
        advice="Configure the handler on the node, or choose another RuntimeClass",
    ),
    Refusal(
        name="name-reserved",
        category=None,
        pattern=_words(
            r"(?:container )?name \S{1,300} is (?:reserved for|already in use)|name is reserved"
        ),
        summary="container {container} cannot be created: the runtime on {node} still holds an "
        "earlier one of its name",
        cause="The runtime on {node} has not finished an earlier attempt to create container "
        "{container}: its name is reserved.",
        explanation="The runtime is slow or hangs, often because the node's disk is overloaded.",
        advice="Check the load of the node's disk, and restart its container runtime",
        confidence=90,
    ),
    Refusal(
        name="time",
        category=None,
        pattern=_words(r"context deadline exceeded|DeadlineExceeded|timed? ?out"),
        summary="container {container} cannot be created: the runtime on {node} does not answer "
        "in time",
        cause="The container runtime on {node} did not create container {container} in time "
        "(deadline exceeded).",
        explanation="The runtime or the node's disk is overloaded, or the runtime hangs.",
        advice="Check the load of the node and the state of its container runtime",
        confidence=86,
    ),
    Refusal(
        name="not-permitted",
        category=Category.PERMISSION,
        pattern=_words(
            rf"exec: {_Q}(?P<file>[^\"'\\:\s]{{1,300}}){_Q}: permission denied|(?P<why>permission "
            rf"denied|"
            r"operation not permitted)"
        ),
        summary="container {container} cannot start: the runtime is denied permission<< to run "
        "{file}>>",
        cause="The container runtime (OCI) is denied permission<< to execute {file}>> when it "
        "starts container {container}: permission denied.",
        explanation="The file is not executable for the container's user, or a security profile "
        "(seccomp, AppArmor, SELinux) or the node's settings forbid it.",
        advice="Make the file executable in the image, or correct the security context",
        confidence=88,
    ),
)
