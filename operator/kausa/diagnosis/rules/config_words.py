"""What the kubelet says when it cannot configure a container, and what that means."""

from __future__ import annotations

from kausa.diagnosis.rules.statement import Statement, words
from kausa.resources.category import Category

__all__ = ["CONFIG_STATEMENTS"]

WAITS = (
    "The kubelet reads a container's configuration before it creates the container, and waits "
    "until what is missing is there; no restart of the Pod is needed then."
)
_QUOTE = r"\\?[\"'`]"

CONFIG_STATEMENTS: tuple[Statement, ...] = (
    Statement(
        rule="config.key-missing",
        pattern=words(
            r"(?:couldn't|could not|cannot|can't) find key (?P<key>\S{1,253}) in "
            r"(?P<kind>ConfigMap|Secret) (?:\S+/)?(?P<name>[^\s/\"',;]{1,253})"
        ),
        summary="key {key} is missing in {kind} {name}, which {container} needs",
        root_cause="{kind} {name} in namespace {namespace} has no key {key}, which {container} "
        "takes a variable from: the key does not exist.<< It is named in {chain}.>>",
        explanation=WAITS,
        advice="Add the key {key} to {kind} {name}, or correct the name",
        command="kubectl -n {namespace} describe {kind_lower} {name}",
        confidence=97,
    ),
    Statement(
        rule="config.key-missing-named",
        pattern=words(
            rf"(?P<kind>configmap|secret) {_QUOTE}?(?P<name>[\w.-]{{1,253}}){_QUOTE}? (?:does not "
            rf"(?:contain|have)|has no|is missing(?: the)?|lacks) (?:the )?(?:data "
            rf")?key {_QUOTE}?(?P<key>[\w.-]{{1,253}})|"
            rf"key {_QUOTE}?(?P<key2>[\w.-]{{1,253}}){_QUOTE}? (?:is |was )?(?:not found|missing|"
            rf"does not exist) in (?P<kind2>configmap|secret) {_QUOTE}?(?P<name2>[\w.-]{{1,253}})"
        ),
        summary="key {key} is missing in {kind} {name}, which {container} needs",
        root_cause="{kind} {name} in namespace {namespace} has no key {key}, which {container} "
        "needs: the key does not exist.",
        explanation=WAITS,
        advice="Add the key {key}, or correct the name",
        confidence=95,
    ),
    Statement(
        rule="config.object-missing",
        pattern=words(
            rf"\b(?P<kind>configmaps?|secrets?) {_QUOTE}(?P<name>[^\"'\\`]{{1,253}}){_QUOTE} "
            rf"(?:was )?not found|\b(?P<kind2>configmap|secret) "
            rf"(?P<name2>[a-z0-9][a-z0-9./-]{{1,253}}) (?:was |is )?(?:not found|"
            r"missing|does not exist)"
        ),
        summary="{kind} {name} does not exist, and {container} needs it",
        root_cause="{kind} {name} was not found in namespace {namespace} (missing); {container} "
        "cannot be created without it.<< It is named in {chain}.>>",
        explanation=WAITS,
        advice="Create {kind} {name} in namespace {namespace}, or correct the name",
        command="kubectl -n {namespace} get {kind_lower}s",
        confidence=97,
    ),
    Statement(
        rule="config.variable-names",
        pattern=words(
            r"Keys? \[(?P<variables>[^\]]{1,600})\] from the EnvFrom (?P<kind>configMap|secret) "
            r"(?:[\w.-]{1,63}/)?(?P<name>[\w.-]{1,253}) were skipped"
        ),
        summary="keys of {kind} {name} are no valid environment variable names and were skipped: "
        "{variables}",
        root_cause="{container} takes its environment from {kind} {name} (envFrom); its keys "
        "{variables} are invalid as names of environment variables and were skipped, "
        "so the program does not get them.",
        explanation="Names of variables begin with a letter or _ and hold letters, digits and _ "
        "only; older clusters admit no dots or dashes.",
        advice="Rename the keys, or map them one by one with valueFrom",
        command="kubectl -n {namespace} describe {kind_lower} {name}",
        confidence=94,
    ),
    Statement(
        rule="config.runs-as-root",
        pattern=words(r"container has runAsNonRoot and image (?P<why>[^(]{1,120})"),
        summary="{container} must not run as root, but its image {why}",
        root_cause="The security context of {container} sets runAsNonRoot, and the image {why}.",
        explanation="The kubelet refuses to start a container as root where its security context "
        "forbids it; the Pod must be replaced by one that is allowed to run.",
        advice="Set runAsUser to a number other than 0, or use an image with such a user",
        confidence=97,
    ),
    Statement(
        rule="config.runs-as-root-user",
        pattern=words(r"container'?s runAsUser breaks non-root policy"),
        summary="{container} asks to run as user 0 (root) and as non-root at once",
        root_cause="The security context of {container} sets runAsNonRoot and runAsUser 0 (root), "
        "which exclude each other.",
        explanation="The kubelet refuses to start it; the Pod must be replaced.",
        advice="Set runAsUser to a number other than 0",
        confidence=97,
    ),
    Statement(
        rule="config.sub-path",
        pattern=words(
            r"failed to (?:prepare|create) subPath for volumeMount "
            r"\\?\"(?P<volume>[^\"\\]{1,253})\\?\" of container"
        ),
        summary="the subPath of volume {volume} of {container} cannot be prepared",
        root_cause="The kubelet cannot prepare the subPath that {container} mounts of volume "
        "{volume}: the path is invalid, a file stands in its way, or the volume is "
        "read-only.",
        explanation="A subPath must lie inside its volume.",
        advice="Correct the subPath in volumeMounts",
        confidence=93,
    ),
    Statement(
        rule="config.host-ip",
        pattern=words(r"(?:host IP|hostIP)[^\n]{0,40}(?:unknown|not (?:yet )?(?:known|available))"),
        cause=Category.NODE,
        summary="{container} needs the address of its node, which is not known yet",
        root_cause="{container} takes a variable from status.hostIP, and the node has no address "
        "yet.",
        explanation="The kubelet or the cloud controller has not written the node's address.",
        advice="Check the addresses of the node",
        confidence=88,
    ),
    Statement(
        rule="config.services-unread",
        pattern=words(r"services have not yet been read at least once, cannot construct envvars"),
        cause=Category.NODE,
        summary="the kubelet has not read the Services yet, which {container} gets variables of",
        root_cause="The kubelet cannot make the environment of {container}: it has not read the "
        "Services from the API server since it started.",
        explanation="It passes when the kubelet reaches the API server.",
        advice="Check that the kubelet reaches the API server",
        confidence=90,
    ),
)
