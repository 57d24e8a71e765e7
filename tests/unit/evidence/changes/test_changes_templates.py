"""Two Pod templates are compared by what they mean, and every difference is named where it is."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.templates import template, with_container

from kausa.evidence.changes.facts import template_facts
from kausa.evidence.changes.templates import FieldChange, diff_templates
from kausa.evidence.changes.words import describe

API = "spec.containers[api]"
READY = {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 10}
Told = tuple[str, str | None, str | None]


def told(before: Any, after: Any) -> list[Told]:
    return [(each.path, each.before, each.after) for each in diff_templates(before, after)]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (
            with_container(image="registry.example/shop/api:1.3"),
            (f"{API}.image", "registry.example/shop/api:1.2", "registry.example/shop/api:1.3"),
        ),
        (
            with_container(image="shop/api@sha256:0f7b"),
            (f"{API}.image", "registry.example/shop/api:1.2", "shop/api@sha256:0f7b"),
        ),
        (with_container(command=["/bin/apy"]), (f"{API}.command", "/bin/api", "/bin/apy")),
        (with_container(command=None), (f"{API}.command", "/bin/api", None)),
        (
            with_container(args=[":8080", "--listen"]),
            (f"{API}.args", "--listen :8080", ":8080 --listen"),
        ),
        (
            with_container(args=["--greeting", "hello you"]),
            (f"{API}.args", "--listen :8080", "--greeting 'hello you'"),
        ),
        (
            with_container(
                resources={
                    "limits": {"memory": "64Mi", "cpu": "1"},
                    "requests": {"memory": "64Mi"},
                }
            ),
            (f"{API}.resources.limits.memory", "256Mi", "64Mi"),
        ),
        (
            with_container(
                resources={"limits": {"memory": "256Mi", "cpu": "1"}, "requests": {}}
            ),
            (f"{API}.resources.requests.memory", "64Mi", None),
        ),
        (
            with_container(
                resources={
                    "limits": {"memory": "256Mi", "cpu": "1", "nvidia.com/gpu": "1"},
                    "requests": {"memory": "64Mi"},
                }
            ),
            (f"{API}.resources.limits[nvidia.com/gpu]", None, "1"),
        ),
        (
            with_container(readinessProbe={**READY, "httpGet": {"path": "/ready", "port": 8081}}),
            (f"{API}.readinessProbe.httpGet.port", "8080", "8081"),
        ),
        (
            with_container(readinessProbe={**READY, "failureThreshold": 1}),
            (f"{API}.readinessProbe.failureThreshold", None, "1"),
        ),
        (
            with_container(readinessProbe=None),
            (f"{API}.readinessProbe", "HTTP GET /ready on port 8080 every 10 s", None),
        ),
        (
            with_container(livenessProbe={"exec": {"command": ["true"]}}),
            (f"{API}.livenessProbe", None, "a command every 10 s"),
        ),
        (
            with_container(volumeMounts=[{"name": "config", "mountPath": "/etc/other"}]),
            (f"{API}.volumeMounts[/etc/app]", '{"mountPath": "/etc/app", "name": "config"}', None),
        ),
        (
            with_container(securityContext={"runAsUser": 1000}),
            (f"{API}.securityContext.runAsUser", None, "1000"),
        ),
        (
            with_container(ports=[{"name": "http", "containerPort": 9090}]),
            (
                f"{API}.ports[http]",
                '{"containerPort": 8080, "name": "http"}',
                '{"containerPort": 9090, "name": "http"}',
            ),
        ),
        (template(serviceAccountName="deployer"), ("spec.serviceAccountName", None, "deployer")),
        (template(nodeSelector={"disk": "ssd"}), ("spec.nodeSelector.disk", None, "ssd")),
        (
            template(nodeSelector={"kubernetes.io/arch": "arm64"}),
            ("spec.nodeSelector[kubernetes.io/arch]", None, "arm64"),
        ),
        (
            template(tolerations=[{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]),
            (
                "spec.tolerations[gpu:NoSchedule]",
                None,
                '{"effect": "NoSchedule", "key": "gpu", "operator": "Exists"}',
            ),
        ),
        (
            template(securityContext={"runAsNonRoot": True}),
            ("spec.securityContext.runAsNonRoot", None, "true"),
        ),
        (template(activeDeadlineSeconds=5), ("spec.activeDeadlineSeconds", None, "5")),
        (
            template(imagePullSecrets=[{"name": "registry"}]),
            ("spec.imagePullSecrets[registry]", None, '{"name": "registry"}'),
        ),
        (template(hostNetwork=True), ("spec.hostNetwork", None, "true")),
    ],
)  # fmt: skip
def test_each_field_that_differs_is_named_with_both_values(after: Any, expected: Told) -> None:
    assert expected in told(template(), after)
    path, before, gone = expected
    assert (path, gone, before) in told(after, template())


def test_variables_are_compared_by_name_and_told_where_their_value_comes_from() -> None:
    before = with_container(
        env=[
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "GONE", "value": "1"},
            {"name": "DB", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "db"}}},
            {"name": "EMPTY"},
        ]
    )
    after = with_container(
        env=[
            {"name": "EMPTY", "value": ""},
            {"name": "DB", "valueFrom": {"secretKeyRef": {"name": "vault", "key": "db"}}},
            {"name": "LOG_LEVEL", "value": "debug"},
            {"name": "NEW", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ]
    )
    assert told(before, after) == [
        (f"{API}.env[DB]", "key db of ConfigMap settings", "key db of Secret vault"),
        (f"{API}.env[GONE]", "1", None),
        (f"{API}.env[LOG_LEVEL]", "info", "debug"),
        (f"{API}.env[NEW]", None, "field status.podIP of the Pod"),
    ]


def test_all_variables_of_a_config_map_are_one_field() -> None:
    before = with_container(envFrom=[{"configMapRef": {"name": "settings"}}])
    after = with_container(envFrom=[{"configMapRef": {"name": "settigns"}, "prefix": "APP_"}])
    assert told(before, after) == [
        (f"{API}.envFrom[ConfigMap/settigns]", None, "all keys of ConfigMap settigns as APP_*"),
        (f"{API}.envFrom[ConfigMap/settings]", "all keys of ConfigMap settings", None),
    ]


def test_a_container_that_was_added_is_one_change_and_so_is_an_init_container() -> None:
    after = template(initContainers=[{"name": "migrate", "image": "migrate:1", "args": ["up"]}])
    after["spec"]["containers"].append({"name": "proxy", "image": "proxy:2"})
    assert told(template(), after) == [
        ("spec.containers[proxy]", None, "image proxy:2"),
        ("spec.initContainers[migrate]", None, "image migrate:1"),
    ]


def test_the_order_of_what_has_a_name_is_no_change() -> None:
    after = template()
    container = after["spec"]["containers"][0]
    container["env"].reverse()
    container["volumeMounts"].reverse()
    after["spec"]["volumes"].reverse()
    after["spec"]["containers"].insert(0, {"name": "proxy", "image": "proxy:2"})
    before = template()
    before["spec"]["containers"].append({"name": "proxy", "image": "proxy:2"})
    assert diff_templates(before, after) == ()


def test_the_order_of_tolerations_and_of_terms_is_no_change() -> None:
    terms = [{"matchExpressions": [{"key": key, "operator": "Exists"}]} for key in ("a", "b")]
    tolerations = [{"key": key, "operator": "Exists"} for key in ("x", "y")]

    def made(turn: int) -> Any:
        required = {"nodeSelectorTerms": terms[::turn]}
        affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
        return template(tolerations=tolerations[::turn], affinity=affinity)

    assert diff_templates(made(1), made(-1)) == ()


def test_what_the_api_server_fills_in_by_itself_is_no_change() -> None:
    by_hand = {
        "metadata": {"labels": {"app": "checkout"}},
        "spec": {
            "containers": [
                {
                    "name": "api",
                    "image": "registry.example/shop/api:1.2",
                    "command": ["/bin/api"],
                    "args": ["--listen", ":8080"],
                    "env": [
                        {"name": "LOG_LEVEL", "value": "info"},
                        {
                            "name": "DB_HOST",
                            "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "db"}},
                        },
                    ],
                    "ports": [{"name": "http", "containerPort": 8080}],
                    "resources": {
                        "limits": {"memory": "262144Ki", "cpu": "1000m"},
                        "requests": {"memory": "64Mi"},
                    },
                    "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
                    "volumeMounts": [{"name": "config", "mountPath": "/etc/app"}],
                }
            ],
            "volumes": [
                {"name": "config", "configMap": {"name": "settings"}},
                {"name": "scratch", "emptyDir": {}},
            ],
            "serviceAccount": "default",
            "serviceAccountName": "default",
        },
    }
    assert diff_templates(by_hand, template()) == ()


def test_labels_of_controllers_are_no_change_and_a_restart_by_hand_is_called_one() -> None:
    after = template()
    after["metadata"]["labels"] |= {"pod-template-hash": "5d4f8", "controller-uid": "x"}
    assert diff_templates(template(), after) == ()
    after["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "2026-01-02T03:04:05Z"}
    (restart,) = diff_templates(template(), after)
    assert describe(restart.path, restart.before, restart.after) == (
        "it was restarted by hand (rollout restart)",
        "it was restarted by hand",
    )


@pytest.mark.parametrize(
    ("path", "before", "after", "sentence"),
    [
        (f"{API}.image", "a:1", "a:2", "the image of container api was changed from a:1 to a:2"),
        (
            f"{API}.env[LOG_LEVEL]",
            "info",
            "very loud",
            "variable LOG_LEVEL of container api was changed from LOG_LEVEL=info to "
            "LOG_LEVEL='very loud'",
        ),
        (f"{API}.env[X]", None, "1", "variable X of container api was added: X=1"),
        (f"{API}.env[X]", "", None, "variable X of container api was removed: X=''"),
        (
            f"{API}.resources.limits.memory",
            "256Mi",
            "64Mi",
            "the memory limit of container api was changed from 256Mi to 64Mi",
        ),
        (
            f"{API}.livenessProbe.httpGet.port",
            "8080",
            "8081",
            "httpGet.port of the liveness probe of container api was changed from 8080 to 8081",
        ),
        (
            "spec.initContainers[migrate].image",
            "m:1",
            "m:2",
            "the image of init container migrate was changed from m:1 to m:2",
        ),
        ("spec.serviceAccountName", None, "robot", "the service account was added: robot"),
        (f"{API}.args", "x" * 300, "y", "the list of arguments of container api was changed"),
    ],
)
def test_a_change_is_told_in_a_sentence(
    path: str, before: str | None, after: str | None, sentence: str
) -> None:
    told_, citation = describe(path, before, after)
    assert told_ == sentence
    assert sentence.startswith(citation)


def test_a_value_that_is_too_long_to_show_is_counted_and_not_cut() -> None:
    before, after = (with_container(args=["x" * 9_000 + end]) for end in ("1", "2"))
    (change,) = diff_templates(before, after)
    assert change == FieldChange(
        path=f"{API}.args", before="… (9001 characters)", after="… (9001 characters)"
    )


ANY_KEY = st.text(max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_KEY, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        *("name", "image", "command", "args", "env", "envFrom", "resources", "limits", "memory"),
        *("livenessProbe", "httpGet", "port", "volumes", "volumeMounts", "mountPath", "valueFrom"),
        *("configMapKeyRef", "tolerations", "key", "nodeSelector", "securityContext", "ports"),
    ]
)
CONTAINER = st.dictionaries(FIELDS, JSON, max_size=5) | JSON
TEMPLATE = JSON | st.fixed_dictionaries(
    {
        "metadata": st.dictionaries(st.sampled_from(["labels", "annotations"]), JSON),
        "spec": JSON
        | st.dictionaries(
            st.sampled_from(["containers", "initContainers", "volumes", "tolerations", "affinity"]),
            JSON | st.lists(CONTAINER, max_size=3),
        ),
    }
)


@settings(deadline=None)
@given(before=TEMPLATE, after=TEMPLATE)
def test_templates_of_any_shape_are_compared_and_only_what_differs_is_named(
    before: Any, after: Any
) -> None:
    assert diff_templates(before, before) == ()
    assert diff_templates(before, copy.deepcopy(before)) == ()
    old, new = template_facts(before), template_facts(after)
    for change in diff_templates(before, after):
        assert change.path in old or change.path in new
        assert old.get(change.path) != new.get(change.path)
        assert (change.before is None) == (change.path not in old)
        assert (change.after is None) == (change.path not in new)
        sentence, citation = describe(change.path, change.before, change.after)
        assert sentence.startswith(citation)


@given(field=st.sampled_from(["image", "workingDir"]), values=st.tuples(st.text(), st.text()))
def test_a_change_of_one_field_names_this_field_alone(field: str, values: tuple[str, str]) -> None:
    before, after = (with_container(**{field: each}) for each in values)
    paths = {each.path for each in diff_templates(before, after)}
    assert paths == (set() if values[0] == values[1] else {f"{API}.{field}"})
