"""Files and folders: not there, not allowed, not writable, or not what they should be."""

from __future__ import annotations

from kausa.diagnosis.rules.application.file_names import FILE as _FILE
from kausa.diagnosis.rules.application.file_names import PLAIN_FILE as _PLAIN
from kausa.diagnosis.rules.application.file_names import QUOTE as _Q
from kausa.diagnosis.rules.application.idea import PORT_MARK, Idea, Told, any_of
from kausa.diagnosis.rules.facts import Fields, objects
from kausa.evidence.dossier import Dossier
from kausa.evidence.fields import rows, text
from kausa.resources.category import Category

__all__ = ["FILE_IDEAS"]

_ABSENT = (
    r"(?:no such file or directory|\bENOENT\b|(?:file |was |is |does |do |could )?not (?:be "
    r")?(?:found|exist\w*)|does ?n[o']t exist|cannot find the (?:file|path)|missing)"
)
_DENIED = (
    r"(?:permission denied|\bEACCES\b|access (?:is |was |to .{0,200}?is )?denied|operation not "
    r"permitted|\bEPERM\b)"
)
_READ_ONLY = r"(?:read-only file ?system|\bEROFS\b)"
_OPENS = (
    r"(?:open|opening|read|reading|load|loading|stat|access|find|locate|exec|mkdir|create|"
    r"creating|write|writing|chdir|cd|cat|ls|cp|mv|rm|touch|chmod|chown|unlink|rename|source)"
)


def _mounted(told: Told, dossier: Dossier) -> Told:
    """What of the Pod is mounted where the file should be."""
    path = told.get("file", "")
    mount = _mount_of(path, dossier)
    return {**told, "mount": mount}


def _mount_of(path: str, dossier: Dossier) -> str:
    best, found = 0, ""
    for pod in objects(dossier, "Pod"):
        volumes = {text(each, "name"): _kind_of(each) for each in rows(pod, "spec", "volumes")}
        for container in rows(pod, "spec", "containers"):
            for mount in rows(container, "volumeMounts"):
                where = text(mount, "mountPath")
                if where and path.startswith(where) and len(where) > best:
                    name = text(mount, "name")
                    best = len(where)
                    found = f"{where} is mounted from {volumes.get(name) or f'volume {name}'}"
    return found


def _kind_of(volume: Fields) -> str:
    for kind, key, word in (
        ("configMap", "name", "ConfigMap"),
        ("secret", "secretName", "Secret"),
        ("persistentVolumeClaim", "claimName", "claim"),
    ):
        name = text(volume, kind, key)
        if name:
            return f"{word} {name}"
    return "an emptyDir" if "emptyDir" in volume else ""


FILE_IDEAS: tuple[Idea, ...] = (
    Idea(
        rule="application.read-only",
        category=Category.PERMISSION,
        look=any_of(
            rf"{_FILE}{_Q}:? ?.{{0,60}}?{_READ_ONLY}",
            rf"{_READ_ONLY}[:, ]{{0,4}}(?:\S{{1,20}} )?{_Q}{_FILE}",
            rf"(?P<file>){_READ_ONLY}",
        ),
        summary="container {container} writes<< to {file}>>, which is read-only",
        cause="The program in container {container} cannot write<< to {file}>>: read-only file "
        "system.<< {mount}.>>",
        explanation="The root file system is read-only where the security context says "
        "readOnlyRootFilesystem; ConfigMaps, Secrets and volumes mounted with readOnly are too.",
        advice="Mount an emptyDir where the program writes, or let it write elsewhere",
        command="kubectl -n {namespace} get pod {pod} -o yaml",
        confidence=91,
        complete=_mounted,
    ),
    Idea(
        rule="application.privileged-port",
        category=Category.PERMISSION,
        look=any_of(
            rf"(?:bind|listen|address|port|socket)\w{{0,4}}\b.{{0,100}}?{PORT_MARK}"
            rf"(?P<port>\d{{1,3}})\b.{{0,60}}?{_DENIED}",
            rf"{_DENIED}.{{0,60}}?\b(?:bind|listen|address|port)\b.{{0,60}}?{PORT_MARK}"
            rf"(?P<port>\d{{1,3}})\b(?!:\d)",
            r"bind\(\) to \S{1,60}?:(?P<port>\d{1,3}) failed \(13: permission denied\)",
        ),
        summary="container {container} may not listen on port {port}: permission denied",
        cause="The program in container {container} may not bind port {port}: permission denied. "
        "Ports below 1024 need root or the capability NET_BIND_SERVICE.",
        explanation="The container runs as a user that is not root, or its capabilities were "
        "dropped.",
        advice="Let the program listen on a port above 1023, or add NET_BIND_SERVICE",
        command="kubectl -n {namespace} get pod {pod} -o yaml",
        confidence=93,
    ),
    Idea(
        rule="application.permission-denied",
        category=Category.PERMISSION,
        look=any_of(
            rf"{_FILE}{_Q}:? ?.{{0,40}}?{_DENIED}",
            rf"{_DENIED}[:,( ]{{0,4}}(?:\S{{1,12}} )?{_Q}{_FILE}",
            rf"AccessDeniedException: {_FILE}",
            rf"{_OPENS}\w{{0,12}} {_Q}(?P<file>[\w./-]{{2,200}}){_Q}:? .{{0,40}}?{_DENIED}",
            rf"Access to the path {_Q}{_FILE}{_Q} is denied",
        ),
        summary="container {container} is denied access to {file}: permission denied",
        cause="The program in container {container} has no permission for {file}: permission "
        "denied.<< {mount}.>>",
        explanation="The user that the container runs as may not read, write or run it: its owner "
        "or mode does not fit runAsUser, runAsGroup and fsGroup of the security context.",
        advice="Set fsGroup or runAsUser to the file's owner, or correct the file's mode",
        command="kubectl -n {namespace} get pod {pod} -o yaml",
        confidence=91,
        complete=_mounted,
    ),
    Idea(
        rule="application.file-missing",
        category=Category.CONFIG,
        look=any_of(
            rf"no such file or directory[:,( ]{{1,4}}(?:(?:open|stat|scandir|access|lstat|mkdir) "
            rf")?{_Q}{_FILE}",
            rf"{_Q}{_FILE}{_Q}[:,)]? (?:failed )?\(?(?:\d: )?(?:No such file|ENOENT|"
            r"cannot find the (?:file|path))",
            rf"{_Q}{_PLAIN}{_Q}[:,)]? (?:failed )?{_ABSENT}",
            rf"\bENOENT\b.{{0,80}}?{_Q}{_FILE}",
            rf"(?:FileNotFound\w{{0,12}}|NoSuchFileException)\b.{{0,80}}?{_Q}{_FILE}",
            rf"\b(?:file|script|path|directory|folder|certificate|config|"
            rf"unit) {_Q}{_FILE}{_Q} {_ABSENT}",
            rf"(?:cannot|could ?n[o']t|can'?t|unable to|failed to|error) {_OPENS}\w{{0,12}}(?: "
            rf"the)?(?: config\w{{0,12}})?(?: file)?:? {_Q}{_FILE}{_Q}.{{0,60}}?{_ABSENT}",
            rf"(?:missing|can't find|cannot find|could not find)(?: \w{{1,20}}){{0,2}} "
            rf"file:? {_Q}{_FILE}",
            rf"(?:python\w{{0,4}}|node|ruby|perl|java|sh|bash): (?:can't open|cannot open|can't "
            rf"find)(?: file| input file)? {_Q}{_FILE}",
            rf"Cannot find module {_Q}(?P<file>/[\w./@-]{{1,300}}){_Q}",
            rf"Unable to access jarfile {_FILE}",
            # Whatever is quoted here is a file, unless it was run as a command.
            r"No such file or directory: [\"'](?P<file>[^\"'\n]{1,200})[\"']",
        ),
        summary="container {container} needs the file {file}, which does not exist",
        cause="The program in container {container} cannot open {file}: no such file or "
        "directory.<< {mount}.>>",
        explanation="The file is not in the image, and no volume brings it to that path; a wrong "
        "mountPath, subPath or key does this too.",
        advice="Mount or add {file}, or correct its path",
        command="kubectl -n {namespace} get pod {pod} -o yaml",
        confidence=91,
        complete=_mounted,
    ),
    Idea(
        rule="application.not-a-directory",
        category=Category.CONFIG,
        look=any_of(
            rf"{_Q}{_FILE}{_Q}:? .{{0,40}}?(?P<what>is a directory|not a directory)",
            rf"(?P<what>EISDIR|ENOTDIR).{{0,80}}?{_Q}{_FILE}",
        ),
        summary="container {container} finds a file where a directory should be, or the reverse, "
        "at {file}",
        cause="The program in container {container} cannot use {file}: {what}.",
        explanation="A volume mounted without subPath makes a directory of a path that should be "
        "a file.",
        advice="Mount the single file with subPath, or correct the path",
        command="kubectl -n {namespace} get pod {pod} -o yaml",
        confidence=84,
    ),
    Idea(
        rule="application.no-permission",
        category=Category.PERMISSION,
        look=any_of(
            r"(?P<why>permission denied|\bEACCES\b|operation not permitted|\bEPERM\b|must (?:be "
            r")?(?:run )?as root|requires root|not running as root|insufficient permissions?|must "
            r"be root)",
        ),
        summary="container {container} is denied what it tries: {why}",
        cause="What the program in container {container} tries is not permitted: {why}.",
        explanation="The user or the capabilities of the container do not allow it.",
        advice="Check runAsUser, fsGroup and the capabilities of the security context",
        command="kubectl -n {namespace} get pod {pod} -o yaml",
        confidence=78,
        weak=True,
    ),
)
