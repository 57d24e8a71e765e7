"""Whatever stands in the objects of a snapshot: an answer comes, or a sentence says why not."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kausa.cluster.snapshot import load_snapshot
from kausa.errors import KausaError
from kausa.evidence.redaction import Redactor
from kausa.offline.diagnosing import OfflineDiagnosis, moment_of
from kausa.offline.documents import documents
from kausa.offline.order import in_order
from kausa.offline.targets import Target, find_target
from kausa.offline.text import as_text, overview

NAMES = st.sampled_from(["a", "b", "a-5d8f9c7b6d", "a/b", "%", "ü", "", "A b"])
KINDS = st.sampled_from(
    ["Pod", "ReplicaSet", "Deployment", "Job", "Node", "Service", "Farm", "ResourceQuota"]
)
TIMES = st.sampled_from(["2026-01-31T12:00:00Z", "2026-01-31", "0001-01-01T00:00:00Z", "", None])
WORDS = st.sampled_from(
    ["CrashLoopBackOff", "FailedMount", "Failed", "Unhealthy", "Pending", "Running", "", "ü\x00"]
)
REFERENCE = st.fixed_dictionaries(
    {"kind": KINDS, "name": NAMES},
    optional={"apiVersion": st.sampled_from(["v1", "apps/v1", "nonsense/"]), "uid": NAMES},
)
META = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "namespace": NAMES,
        "uid": st.sampled_from(["u1", "u2"]),
        "creationTimestamp": TIMES,
        "ownerReferences": st.lists(REFERENCE, max_size=2),
        "labels": st.just({"app": "a"}),
    },
)
STATE = st.fixed_dictionaries(
    {},
    optional={
        "waiting": st.fixed_dictionaries({"reason": WORDS}),
        "running": st.fixed_dictionaries({"startedAt": TIMES}),
        "terminated": st.fixed_dictionaries({"exitCode": st.integers(-1, 300)}),
    },
)
STATUS = st.fixed_dictionaries(
    {},
    optional={
        "phase": WORDS,
        "conditions": st.lists(
            st.fixed_dictionaries({"type": st.sampled_from(["Ready", "PodScheduled"])}), max_size=2
        ),
        "containerStatuses": st.lists(
            st.fixed_dictionaries(
                {"name": NAMES, "state": STATE},
                optional={"lastState": STATE, "restartCount": st.integers(0, 9)},
            ),
            max_size=2,
        ),
    },
)
OBJECT = st.fixed_dictionaries(
    {"apiVersion": st.sampled_from(["v1", "apps/v1"]), "kind": KINDS, "metadata": META},
    optional={
        "status": STATUS,
        "spec": st.fixed_dictionaries({}, optional={"selector": st.just({"app": "a"})}),
    },
)
EVENT = st.fixed_dictionaries(
    {
        "apiVersion": st.just("v1"),
        "kind": st.just("Event"),
        "metadata": META,
        "involvedObject": REFERENCE,
        "reason": WORDS,
    },
    optional={"message": WORDS, "lastTimestamp": TIMES, "count": st.integers(0, 9)},
)


@settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(objects=st.lists(OBJECT | EVENT, min_size=1, max_size=6))
def test_any_objects(tmp_path: Path, objects: list[Any]) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(objects))
    snapshot = load_snapshot(path)
    now = moment_of(snapshot)
    pipeline = OfflineDiagnosis(snapshot, redactor=Redactor(key=bytes(32)), now=now)
    answers = asyncio.run(pipeline.of_all())
    told = in_order(answers)
    assert {id(each.answer) for each in told} == {id(each) for each in answers}
    overview(told, now=now, width=80, clip=True)
    kind, name = objects[0]["kind"], objects[0]["metadata"]["name"]
    try:
        target = find_target(snapshot, Target(kind=kind, name=name))
    except KausaError as error:
        assert name in str(error) or not name  # noqa: PT017 - said in a sentence
    else:
        answers += asyncio.run(pipeline.of_target(target))
    for answer in answers:
        as_text(answer, width=80, verbose=True)
        try:
            documents((answer,))
        except KausaError:
            continue
