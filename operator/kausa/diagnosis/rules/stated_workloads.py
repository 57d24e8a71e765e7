"""Rollouts that stopped, autoscalers, Services without endpoints, and Pods kept from scheduling."""

from __future__ import annotations

from kausa.diagnosis.rules.statement import NAME, Statement, words
from kausa.resources.category import Category

__all__ = ["WORKLOAD_STATEMENTS"]

_ROLLOUT = frozenset({Category.ROLLOUT})
_AUTOSCALING = frozenset({Category.AUTOSCALING})
_DESCRIBE = "kubectl -n {namespace} describe {kind} {name}"
METRICS = "An autoscaler keeps the number of replicas as it is while it has no metrics."

WORKLOAD_STATEMENTS: tuple[Statement, ...] = (
    Statement(
        rule="rollout.adoption",
        of=_ROLLOUT,
        cause=Category.ROLLOUT,
        pattern=words(rf'cannot adopt (?P<what>\w{{1,63}}) "(?P<object>{NAME})": (?P<why>.+)'),
        summary="{subject} cannot adopt {what} {object}: {why}",
        root_cause="The selector of {subject} fits {what} {object}, which it cannot adopt: {why}.",
        explanation="Two controllers whose selectors overlap fight for the same Pods.",
        advice="Give each controller a selector of its own",
        command="kubectl -n {namespace} get {what} {object} -o yaml",
        confidence=85,
    ),
    Statement(
        rule="rollout.deadline",
        of=_ROLLOUT,
        pattern=words(
            r"^ProgressDeadlineExceeded: .*?\((?:progressDeadlineSeconds (?P<seconds>\d+), )?"
            r"(?P<available>\d+ of -?\d+ replicas) are available"
        ),
        summary="the rollout of {subject} has stopped: {available} are available after its "
        "deadline for progress",
        root_cause="The rollout of {subject} has made no progress within its deadline"
        "<< (progressDeadlineSeconds {seconds})>>: {available} are available, and no Pod of it "
        "says why.",
        explanation="A rollout goes on when new Pods become available. These neither fail nor "
        "become so.",
        advice="Look at the newest Pods of {subject}",
        command=_DESCRIBE,
        confidence=62,
        vague=True,
    ),
    Statement(
        rule="rollout.not-ready",
        of=_ROLLOUT,
        pattern=words(
            r"^(?:MinimumReplicasUnavailable|NumberUnavailable|FailedPlacement): "
            r"(?P<how>.+?), (?:nothing has changed|too few) since (?P<since>[\d :-]{10,25})"
        ),
        summary="{subject} is stuck: {how}, without a change since {since}",
        root_cause="{subject} has not moved since {since}: {how}, and no Pod of it says why.",
        explanation="Pods that neither fail nor become ready keep the rest waiting.",
        advice="Look at the newest Pods of {subject}",
        command=_DESCRIBE,
        confidence=60,
        vague=True,
    ),
    Statement(
        rule="rollout.daemon-pods-fail",
        of=_ROLLOUT,
        pattern=words(
            r"FailedDaemonPod: .*?failed daemon pod (?:\S+/)?(?P<pod>\S{1,253}) on node "
            r"(?P<where>[\w.-]{1,253})"
        ),
        summary="{subject} kills its failed Pods again and again, the last on node {where}",
        root_cause="The Pods of {subject} fail and are killed and made anew; the last was {pod} on "
        "node {where}.",
        explanation="A daemon Pod that its node refuses or evicts has failed for good, and is "
        "replaced on the same node.",
        advice="See whether the node refuses or evicts the Pod",
        command="kubectl describe node {where}",
        confidence=65,
        vague=True,
    ),
    Statement(
        rule="autoscaling.no-request",
        of=_AUTOSCALING,
        cause=Category.AUTOSCALING,
        pattern=words(
            r"missing request for (?P<resource>[\w./-]{1,63})"
            r"(?: in container (?P<who>\S{1,63}) of Pod (?P<pod>\S{1,253}))?"
        ),
        summary="{subject} cannot scale: the Pods specify no request for {resource}",
        root_cause="{subject} scales by a share of the {resource} that Pods request, and its "
        "target's Pods have no request for {resource}<< (container {who}, Pod {pod})>>.",
        explanation=METRICS,
        advice="Set a request for {resource} on every container of the target",
        command="kubectl -n {namespace} describe {kind} {name}",
        confidence=95,
    ),
    Statement(
        rule="autoscaling.no-target",
        of=_AUTOSCALING,
        cause=Category.AUTOSCALING,
        pattern=words(
            rf"^FailedGetScale: .*?(?P<what>[\w./]{{1,80}}) \"(?P<target>{NAME})\" not found"
        ),
        summary="{subject} cannot scale: its target {target} does not exist ({what} not found)",
        root_cause="The scale target {target} of {subject} was not found in namespace {namespace}.",
        explanation="An autoscaler changes the scale of what scaleTargetRef names.",
        advice="Correct scaleTargetRef of {subject}, or create {target}",
        command="kubectl -n {namespace} get deployments,statefulsets,replicasets",
        confidence=95,
    ),
    Statement(
        rule="autoscaling.no-metrics-api",
        of=_AUTOSCALING,
        pattern=words(
            r"(?:the server could not find the requested resource|the server is currently unable "
            r"to handle the request)(?: \(get (?P<api>[\w.-]{1,100}))?|"
            r"no known available metric versions found"
        ),
        summary="{subject} has no metrics: the metrics API does not answer<< ({api})>>",
        root_cause="The metrics API that {subject} asks is not served<<: {said}>>",
        explanation=METRICS + " metrics-server, or an adapter for other metrics, serves that API.",
        advice="Install metrics-server (or the adapter), or see why it does not run",
        command="kubectl get apiservices",
        confidence=92,
    ),
    Statement(
        rule="autoscaling.overlap",
        of=_AUTOSCALING,
        cause=Category.AUTOSCALING,
        pattern=words(r"AmbiguousSelector|controlled by multiple HPAs"),
        summary="{subject} does not scale: several autoscalers select the same Pods",
        root_cause="The Pods of {subject}'s target are selected by several autoscalers<<: {said}>>",
        explanation=METRICS,
        advice="Leave one autoscaler for each workload",
        command="kubectl -n {namespace} get horizontalpodautoscalers",
        confidence=92,
    ),
    Statement(
        rule="autoscaling.no-pod-metrics",
        of=_AUTOSCALING,
        cause=Category.AUTOSCALING,
        pattern=words(
            r"(?P<why>did not receive metrics for[^()]{1,120}|no metrics returned from[^()]{1,120})"
        ),
        summary="{subject} gets no metrics of its Pods: {why}",
        root_cause="The metrics API answers {subject}, and has no metrics of its target's Pods: "
        "{why}.",
        explanation=METRICS + " The Pods are not ready, or metrics-server cannot read them.",
        advice="See whether the target's Pods are ready, and what metrics-server says",
        command="kubectl -n {namespace} top pods",
        confidence=75,
    ),
    Statement(
        rule="autoscaling.no-metric",
        of=_AUTOSCALING,
        pattern=words(
            r"unable to get (?P<what>[\w ]{0,20}metric) (?P<metric>\S{1,200}?): (?P<why>.+)"
        ),
        summary="{subject} does not get its {what} {metric}: {why}",
        root_cause="The {what} {metric} that {subject} scales by cannot be had: {why}.",
        explanation=METRICS,
        advice="See whether the metrics adapter offers {metric}",
        command="kubectl get apiservices",
        confidence=85,
    ),
    Statement(
        rule="service.no-endpoints",
        of=frozenset({Category.SERVICE}),
        pattern=words(
            r"^NoReadyEndpoints: .*?none of the (?P<pods>\d+) Pods behind it is ready, and "
            r"(?P<failing>\d+) of them fail"
        ),
        summary="{subject} has no ready endpoints: {failing} of the {pods} Pods behind it fail"
        "{upstream}",
        root_cause="None of the {pods} Pods that the selector of {subject} fits is ready, and "
        "{failing} of them fail{upstream}.",
        explanation="A Service sends requests to ready Pods only; without one, callers are refused "
        "or wait in vain.",
        advice="Mend the Pods behind {subject}",
        command="kubectl -n {namespace} describe {kind} {name}",
        confidence=85,
    ),
    Statement(
        rule="scheduling.gated",
        of=frozenset({Category.SCHEDULING}),
        pattern=words(r"^SchedulingGated"),
        summary="{subject} is not scheduled: its scheduling gates {gates} are still set",
        root_cause="The scheduling gates {gates} of {subject} keep it from being scheduled; "
        "whoever set them has not taken them away.",
        explanation="A gate is taken away by the controller that set it, most often a queue or a "
        "quota of its own.",
        advice="Look at the controller that owns the gates {gates}",
        command="kubectl -n {namespace} get {kind} {name} -o yaml",
        confidence=92,
    ),
    Statement(
        rule="scheduling.unseen",
        of=frozenset({Category.SCHEDULING}),
        pattern=words(r"^Pending:"),
        summary="no scheduler has looked at {subject}<<, which asks for {scheduler}>>",
        root_cause="No scheduler has looked at {subject}: none runs, or none by the name that its "
        "schedulerName asks for<< ({scheduler})>>.",
        explanation="A scheduler writes the condition PodScheduled as soon as it has tried.",
        advice="See whether the scheduler runs, and which one the Pod asks for",
        command="kubectl -n kube-system get pods",
        confidence=70,
    ),
    Statement(
        rule="rollout.deadline-exceeded",
        cause=Category.ROLLOUT,
        pattern=words(r"^ProgressDeadlineExceeded: (?P<why>.{1,300})"),
        summary="the rollout of {subject} has stopped, its progress deadline is exceeded: {why}",
        root_cause="The rollout of {subject} made no progress within its progressDeadlineSeconds: "
        "{why}.",
        explanation="A rollout goes on when new Pods become available.",
        advice="Look at the newest Pods of {subject}",
        command="kubectl -n {namespace} describe {kind} {name}",
        confidence=62,
    ),
)
