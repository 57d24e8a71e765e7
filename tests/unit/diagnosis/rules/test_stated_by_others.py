"""Words that components of Kubernetes use are used by other programs too, of other things."""

from __future__ import annotations

import pytest
from support.surroundings import best, dossier_of, pod_of, said

from kausa.diagnosis.rules.event_reasons import is_of_kubernetes
from kausa.diagnosis.rules.stated import DESCRIPTION, OF_ANYBODY, kubernetes_states_it


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("LookupFailed", "failed to find service account token of the ledger"),
        ("LookupFailed", "Could not resolve billing service hostname"),
        ("LookupFailed", "unable to locate the service endpoint in the table"),
        ("IssueFailed", "issuing certificate: out of resources for order 7"),
        ("BackupFailed", "nightly: etcd snapshot upload took too long"),
        ("DiscoveryFailed", "failed to register instance within time"),
        ("DiscoveryFailed", "catalogue entry never joined in time"),
        ("ConsumerLag", "packets were dropped by consumer 4"),
        ("ThumbnailFailed", "object size exceeds limit of image thumbnail"),
        ("ThumbnailFailed", "title: Too long: must have at most 63 characters"),
        ("UploadFailed", "grpc: received message larger than max (9 vs. 8)"),
        ("PatchFailed", "patch notes conflict with the release"),
    ],
)
def test_words_of_other_programs_are_only_repeated(reason: str, message: str) -> None:
    found = best(dossier_of(said(reason, message), pod=pod_of()))
    assert found.rule.startswith("stated."), found
    assert found.confidence <= DESCRIPTION


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ("FailedMount", "etcdserver: request timed out"),
        ("NodeNotReady", "conntrack: nf_conntrack table full, dropping packet"),
        ("FailedCreate", 'no matches for kind "Kettle" in version "tea.example.org/v1"'),
    ],
)
def test_words_are_believed_in_full_only_where_kubernetes_gives_the_reason(
    known: str, message: str
) -> None:
    own = kubernetes_states_it(dossier_of(said(known, message), pod=pod_of()))
    others = kubernetes_states_it(dossier_of(said("KettleBoiled", message), pod=pod_of()))
    assert own is not None
    assert others is not None
    assert own.rule == others.rule
    assert own.confidence > OF_ANYBODY
    assert others.confidence == OF_ANYBODY


@pytest.mark.parametrize(
    ("reason", "of_kubernetes"),
    [
        ("FailedMount", True),
        ("FailedSync", True),
        ("FailedGetPodsMetric", True),
        ("KubeletNotReady", True),
        ("ScaleUpFailed", True),
        ("RollingUpdateStalled", True),
        ("AccessDenied", False),
        ("BackupFailed", False),
        ("FailedUpload", False),
        ("Error", False),
    ],
)
def test_the_reasons_of_kubernetes_are_known_by_their_families(
    reason: str, *, of_kubernetes: bool
) -> None:
    assert is_of_kubernetes(reason) is of_kubernetes


CALL = 'Internal error occurred: failed calling webhook "seal.acme.io": '


@pytest.mark.parametrize(
    ("rule", "reason", "message"),
    [
        # The API server and webhooks.
        ("admission.webhook-timeout", "FailedCreate", CALL + "the webhook took too long to reply"),
        ("admission.webhook-timeout", "FailedCreate", CALL + "did not respond within 7s"),
        ("admission.webhook-timeout", "FailedCreate", CALL + "no response within 7 seconds"),
        ("admission.webhook-timeout", "FailedCreate", CALL + "deadline exceeded after 7s"),
        ("admission.webhook-timeout", "FailedCreate", CALL + "request timed out"),
        ("admission.webhook-patch", "FailedCreate",
         CALL + "couldn't apply the JSON patch: test operation does not apply"),
        ("admission.webhook-patch", "FailedCreate",
         'admission webhook "tint.acme.io" returned a malformed patch'),
        ("admission.webhook-patch", "FailedCreate",
         'mutating webhook "tint.acme.io": patches clash at /spec/nodeName'),
        ("control-plane.conversion-webhook", "FailedCreate",
         'conversion webhook for tea.acme.io/v2, Kind=Kettle failed: Post "https://c.svc": EOF'),
        ("control-plane.conversion-webhook", "FailedCreate",
         "the conversion webhook of kettles.tea.acme.io is unreachable"),
        ("control-plane.conversion-webhook", "FailedCreate",
         'failed calling webhook "kettle-conversion.acme.io": connection refused'),
        # Objects that etcd does not take.
        ("control-plane.object-too-large", "FailedUpdate", "etcdserver: request is too large"),
        ("control-plane.object-too-large", "FailedUpdate",
         "Request entity too large: limit is 3145728"),
        ("control-plane.object-too-large", "FailedUpdate",
         "ConfigMap rates is larger than the 1 MiB that the API server takes"),
        ("control-plane.object-too-large", "FailedUpdate",
         "the resource exceeds the request limit of etcd"),
        ("control-plane.object-too-large", "FailedUpdate",
         'Secret "keys" is invalid: data: Too long: must have at most 1048576 bytes'),
        # Connections to the API server.
        ("control-plane.connectivity-lost", "NodeNotReady",
         "kubelet lost its connection to the kube-apiserver"),
        ("control-plane.connectivity-lost", "NodeNotReady", "no contact with the API server"),
        ("control-plane.connectivity-lost", "NodeNotReady", "apiserver connection was interrupted"),
        ("control-plane.connectivity-lost", "NodeNotReady",
         "Connectivity to the API server has been lost"),
        ("control-plane.etcd", "FailedUpdate", "etcd range request took too long"),
        # Service meshes.
        ("network.mesh-policy", "FailedSync",
         'request rejected by AuthorizationPolicy "till/only-desk"'),
        ("network.mesh-policy", "FailedSync",
         "call to till blocked due to the mesh's authorization policy: only-desk"),
        ("network.mesh-policy", "FailedSync", "AuthorizationPolicy only-desk denies GET /till"),
        ("network.mesh-policy", "FailedSync",
         "rbac_access_denied_matched_policy[ns[till]-policy[only-desk]-rule[0]]"),
        ("network.mesh-denied", "FailedSync", "upstream answers 403: RBAC: access denied"),
        # Services.
        ("service.not-found", "FailedSync", 'services "till" not found'),
        ("service.not-found", "FailedSync", "cannot find service till in namespace shop"),
        ("service.not-found", "FailedSync", "Unable to resolve the till service."),
        ("service.not-found", "FailedSync", 'service "till" could not be resolved'),
        ("service.not-found", "FailedSync", "no service named till"),
        # Networks.
        ("network.packet-loss", "NodeNotReady", "interface eth0 is dropping packets"),
        ("network.packet-loss", "NodeNotReady", "31% packet loss between the nodes"),
        # Nodes that are not to be had, or do not come.
        ("autoscaling.cloud-stockout", "FailedScaleUp", "zone b: GCE out of resources"),
        ("autoscaling.cloud-stockout", "FailedScaleUp",
         "The zone 'b' does not have enough resources available to fulfill the request"),
        ("node.never-registered", "ScaleUpTimedOut",
         "Nodes added to group amber failed to register within 12m0s"),
        ("node.never-registered", "NodeRegistration", "machine amber-4 never joined the cluster"),
        ("node.never-registered", "NodeRegistration",
         "NodeClaim amber-4 has not registered with the control plane"),
    ],
)  # fmt: skip
def test_what_a_component_says_is_known_in_any_wording(
    rule: str, reason: str, message: str
) -> None:
    found = kubernetes_states_it(dossier_of(said(reason, message), pod=pod_of()))
    assert found is not None
    assert found.rule == rule, found
    assert found.confidence > OF_ANYBODY
