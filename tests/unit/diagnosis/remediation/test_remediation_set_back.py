"""What was changed and fits the failure is told, and set back where one thing stands out."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from support.remedies import after, first_patch, of_api, said
from support.templates import template, with_container

from kausa.diagnosis.changed import with_changes
from kausa.diagnosis.decide import completed
from kausa.diagnosis.finding import Fix
from kausa.diagnosis.remediation.patches import is_whole
from kausa.resources.category import Category
from kausa.resources.evidence import EvidenceKind

LESS = {"limits": {"memory": "64Mi", "cpu": "1"}, "requests": {"memory": "64Mi"}}


@pytest.mark.parametrize(
    ("new", "category", "summary", "fields"),
    [
        (
            with_container(image="x:9"),
            Category.IMAGE_PULL,
            "",
            {"image": "registry.example/shop/api:1.2"},
        ),
        (
            with_container(resources=LESS),
            Category.OOM_KILLED,
            "",
            {"resources": {"limits": {"memory": "256Mi"}}},
        ),
        (with_container(command=["/bin/apy"]), Category.CRASH_LOOP, "", {"command": ["/bin/api"]}),
        (with_container(args=None), Category.CRASH_LOOP, "", {"args": ["--listen", ":8080"]}),
        (
            with_container(
                readinessProbe={"httpGet": {"path": "/r", "port": 81}, "failureThreshold": 1}
            ),
            Category.PROBE,
            "",
            {
                "readinessProbe": {
                    "httpGet": {"port": 8080, "path": "/ready"},
                    "failureThreshold": None,
                }
            },
        ),
        (
            with_container(
                readinessProbe=None,
                livenessProbe={"tcpSocket": {"port": 9}},
            ),
            Category.PROBE,
            "",
            {"livenessProbe": None},
        ),
        (
            with_container(image="x:9", env=[{"name": "LOG_LEVEL", "value": "info"}]),
            Category.CONFIG,
            "variable DB_HOST is missing",
            {
                "env": [
                    {
                        "name": "DB_HOST",
                        "value": None,
                        "valueFrom": {
                            "secretKeyRef": None,
                            "fieldRef": None,
                            "resourceFieldRef": None,
                            "configMapKeyRef": {"name": "settings", "key": "db"},
                        },
                    }
                ]
            },
        ),
    ],
)
def test_what_was_changed_and_fits_is_set_back_and_nothing_else(
    new: dict[str, Any], category: Category, summary: str, fields: dict[str, Any]
) -> None:
    fix, body = first_patch(after(new, category), said(category, summary))
    assert of_api(body) == fields
    assert fix.patch is not None
    assert (fix.patch.api_version, fix.patch.kind) == ("apps/v1", "Deployment")
    assert (fix.patch.namespace, fix.patch.name) == ("shop", "checkout")
    assert fix.command is not None
    assert fix.command.startswith("kubectl -n shop patch deployment checkout --type=strategic -p ")


@pytest.mark.parametrize(
    ("summary", "variable"),
    [
        ("NEW is not known", {"name": "NEW", "$patch": "delete"}),
        ("unknown level loud", {"name": "LOG_LEVEL", "value": "info", "valueFrom": None}),
    ],
)
def test_of_several_variables_the_one_that_the_diagnosis_names_is_set_back(
    summary: str, variable: dict[str, Any]
) -> None:
    env = template()["spec"]["containers"][0]["env"]
    new = with_container(env=[{**env[0], "value": "loud"}, env[1], {"name": "NEW", "value": "1"}])
    _, body = first_patch(after(new, Category.CONFIG), said(Category.CONFIG, summary))
    assert of_api(body) == {"env": [variable]}


def test_a_change_that_is_not_what_the_diagnosis_speaks_of_is_not_set_back() -> None:
    env = template()["spec"]["containers"][0]["env"]
    new = with_container(env=[{**env[0], "value": "debug"}, env[1]])
    diagnosis = said(Category.DEPENDENCY, "redis:6379 refused the connection (debug)")
    assert completed(after(new, Category.CRASH_LOOP), diagnosis).fixes == ()


@pytest.mark.parametrize(
    ("category", "summary", "offered"),
    [
        (Category.PERMISSION, "cannot log in: authentication failed", False),
        (Category.DEPENDENCY, "db2 does not resolve", True),
        (Category.DEPENDENCY, "redis refuses", False),
        (Category.CRASH_LOOP, "it ends with exit code 1", True),
    ],
)
def test_a_revision_is_undone_only_for_what_it_may_have_caused(
    category: Category, summary: str, offered: bool
) -> None:
    env = [{"name": "HOST", "value": "db2"}]
    dossier = after(with_container(args=["--verbose"], env=env), Category.CRASH_LOOP)
    fixes = completed(dossier, said(category, summary)).fixes
    assert any("rollout undo" in (each.command or "") for each in fixes) is offered


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("LOG_LEVEL", "info", True),
        ("UPSTREAM", "db:5432", True),
        ("SMTP_PASSPHRASE", "winter", False),
        ("GREETING", "correct horse battery", False),
        ("BLOB", "abc" * 20, False),
    ],
)
def test_an_older_value_is_told_in_a_patch_only_where_it_is_short_plain_and_of_a_harmless_name(
    name: str, value: str, told: bool
) -> None:
    old, new = (with_container(env=[{"name": name, "value": each}]) for each in (value, "strange"))
    fixes = completed(
        after(new, Category.CONFIG, old=old), said(Category.CONFIG, f"{name} is wrong")
    ).fixes
    assert (fixes[0].patch is not None) is told
    assert any(value in (each.command or "") for each in fixes) is told
    assert "rollout undo" in str(fixes[-1].command)


def test_a_request_that_was_raised_is_set_back_and_one_that_was_lowered_is_not() -> None:
    def asking(memory: str) -> dict[str, Any]:
        return with_container(resources={"requests": {"memory": memory}})

    raised = after(asking("64Gi"), Category.SCHEDULING, old=asking("64Mi"))
    _, body = first_patch(raised, said(Category.SCHEDULING))
    assert of_api(body) == {"resources": {"requests": {"memory": "64Mi"}}}
    lowered = after(asking("64Mi"), Category.SCHEDULING, old=asking("64Gi"))
    assert all(each.patch is None for each in completed(lowered, said(Category.SCHEDULING)).fixes)


def test_a_volume_of_another_config_map_is_set_back_without_keeping_what_it_has_now() -> None:
    new = template(volumes=[{"name": "config", "configMap": {"name": "settigns"}}])
    dossier = after(new, Category.VOLUME)
    _, body = first_patch(dossier, said(Category.VOLUME, "ConfigMap of volume config is missing"))
    assert {
        "name": "config",
        "configMap": {"name": "settings"},
        "$retainKeys": ["configMap", "name"],
    } in body["volumes"]


def test_the_revision_that_worked_is_offered_as_a_command_beside_the_patch() -> None:
    dossier = after(with_container(image="x:9"), Category.IMAGE_PULL)
    fixes = completed(dossier, said(Category.IMAGE_PULL)).fixes
    assert fixes[-1].command == ("kubectl -n shop rollout undo deployment/checkout --to-revision=2")
    assert fixes[-1].patch is None
    cited = dossier.cite(EvidenceKind.CHANGE, containing="revision 3 of Deployment checkout")
    assert set(cited) <= set(fixes[-1].citations)


def test_where_several_things_changed_and_none_stands_out_only_the_revision_is_offered() -> None:
    new = with_container(image="x:9", command=["/bin/apy"], args=["--other"])
    fixes = completed(after(new, Category.CRASH_LOOP), said(Category.CRASH_LOOP)).fixes
    assert [each.patch for each in fixes] == [None]
    assert "rollout undo" in str(fixes[0].command)


def test_a_rule_that_offers_the_revision_already_is_not_repeated() -> None:
    known = Fix(title="undo", rationale="", command="kubectl rollout undo deployment/checkout")
    diagnosis = said(Category.CRASH_LOOP, fixes=(known,))
    new = with_container(image="x:9", command=["/bin/apy"])
    assert completed(after(new, Category.CRASH_LOOP), diagnosis).fixes == (known,)


def test_a_secret_that_was_hidden_is_never_written_into_a_patch() -> None:
    def made(secret: str) -> dict[str, Any]:
        return with_container(env=[{"name": "DB_PASSWORD", "value": secret}])

    dossier = after(made("hunter3-Sup3r"), Category.CONFIG, old=made("hunter2-Sup3r"))
    fixes = completed(dossier, said(Category.CONFIG, "DB_PASSWORD is wrong")).fixes
    assert all(each.patch is None for each in fixes)
    assert "rollout undo" in str(fixes[-1].command)


def test_nothing_is_told_or_offered_where_nothing_fails() -> None:
    dossier = after(with_container(image="x:9"), Category.CRASH_LOOP)
    healthy = dataclasses.replace(dossier, symptom=None)
    diagnosis = said(None, "no failure found")
    assert completed(healthy, diagnosis) == diagnosis


@pytest.mark.parametrize(
    ("new", "category", "told"),
    [
        (
            with_container(image="x:9"),
            Category.IMAGE_PULL,
            "the image of container api was changed",
        ),
        (with_container(resources=LESS), Category.OOM_KILLED, "from 256Mi to 64Mi"),
        (with_container(args=["--x"]), Category.CRASH_LOOP, "the list of arguments"),
    ],
)
def test_a_change_that_fits_is_told_in_the_explanation_and_cited(
    new: dict[str, Any], category: Category, told: str
) -> None:
    dossier = after(new, category)
    diagnosis = with_changes(dossier, said(category))
    assert diagnosis.explanation.startswith("Because. What changed: ")
    assert told in diagnosis.explanation
    assert "3 minutes before it began to fail" in diagnosis.explanation
    assert set(dossier.cite(EvidenceKind.CHANGE, containing=told)) <= set(diagnosis.citations)
    assert (diagnosis.confidence, diagnosis.summary) == (90, "it failed")


def test_a_change_that_has_nothing_to_do_with_the_failure_is_not_told() -> None:
    dossier = after(template(nodeSelector={"disk": "ssd"}), Category.OOM_KILLED)
    assert dossier.changes
    assert with_changes(dossier, said(Category.OOM_KILLED)) == said(Category.OOM_KILLED)


def test_a_change_of_another_container_is_not_told() -> None:
    new = template()
    new["spec"]["containers"].append({"name": "proxy", "image": "p:2"})
    old = template()
    old["spec"]["containers"].append({"name": "proxy", "image": "p:1"})
    dossier = after(new, Category.CRASH_LOOP, old=old)
    assert with_changes(dossier, said(Category.CRASH_LOOP)) == said(Category.CRASH_LOOP)


def test_a_patch_that_is_too_long_for_the_resource_is_held_back() -> None:
    new = with_container(args=["--new"])
    dossier = after(new, Category.CRASH_LOOP, old=with_container(args=["x" * 3_000]))
    fixes = completed(dossier, said(Category.CRASH_LOOP)).fixes
    assert all(each.patch is None or is_whole(each.patch) for each in fixes)
    assert [each.patch for each in fixes] == [None]
