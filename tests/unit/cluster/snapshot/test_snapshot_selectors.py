"""Selectors mean in files what they mean to an API server."""

from __future__ import annotations

from typing import Any

import pytest

from kausa.cluster.errors import ApiError
from kausa.cluster.snapshot.selectors import field_selector, label_selector

POD: dict[str, Any] = {
    "metadata": {"name": "api-1", "labels": {"app": "api", "tier": "web"}},
    "spec": {"nodeName": "n1", "hostNetwork": True},
    "status": {"phase": "Running"},
}


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ("", True),
        ("metadata.name=api-1", True),
        ("metadata.name==api-1,status.phase=Running", True),
        ("metadata.name=api-1,status.phase=Failed", False),
        ("status.phase!=Succeeded", True),
        ("status.phase!=Running", False),
        ("spec.nodeName=n2", False),
        ("spec.hostNetwork=true", True),
        ("status.reason=", True),
        ("status.reason!=", False),
        ("involvedObject.uid=x", False),
    ],
)
def test_fields(selector: str, fits: bool) -> None:
    assert field_selector(selector)(POD) is fits


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ("", True),
        ("app=api", True),
        ("app==api,tier=web", True),
        ("app=api,tier=db", False),
        ("app!=api", False),
        ("color!=red", True),
        ("app in (api, db)", True),
        ("app in (db)", False),
        ("app notin (db),tier", True),
        ("color notin (red)", True),
        ("app", True),
        ("color", False),
        ("!color", True),
        ("!app", False),
        ("app in (api),!color,tier!=db", True),
    ],
)
def test_labels(selector: str, fits: bool) -> None:
    assert label_selector(selector)(POD) is fits


def test_an_object_without_labels_has_none() -> None:
    assert not label_selector("app=api")({"metadata": {"labels": None}})
    assert label_selector("!app")({})


@pytest.mark.parametrize("selector", ["a=b)", "(a)", "a in b", "a,,b"])
def test_what_is_no_label_selector_is_refused(selector: str) -> None:
    with pytest.raises(ApiError, match="unable to parse"):
        label_selector(selector)


def test_what_is_no_field_selector_is_refused() -> None:
    with pytest.raises(ApiError, match="unable to parse"):
        field_selector("metadata.name")
