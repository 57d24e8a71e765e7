"""What a name that leads nowhere means where only a log speaks of it."""

from __future__ import annotations

import dataclasses

from support.dossiers import dossier
from support.pods import container, pod, running, terminated, waiting

from kausa.diagnosis.rules.layers import BESIDE
from kausa.diagnosis.rules.unresolved import name_leads_nowhere
from kausa.evidence.dossier import Dossier

CRASHING = pod(container(waiting("CrashLoopBackOff"), last=terminated(1), restarts=5))
REFUSED = "dial http://cache:6379: connection refused"


def test_a_host_that_the_last_words_complain_of_is_the_cause() -> None:
    finding = name_leads_nowhere(dossier(CRASHING, log=f"starting\n{REFUSED}\n"))
    assert finding is not None
    assert finding.confidence == 82
    assert "Service cache does not exist" in finding.summary


def test_a_host_complained_of_on_the_way_does_not_beat_the_last_words() -> None:
    log = f"WARN {REFUSED}\n" + "INFO going on\n" * 5 + "FATAL licence check failed, giving up\n"
    finding = name_leads_nowhere(dossier(CRASHING, log=log))
    assert finding is not None
    assert finding.confidence <= BESIDE


def test_urls_that_are_only_named_do_not_count() -> None:
    log = "INFO s3://mybucket/x classpath://cfg\nINFO sent to http://intranet/x ok\nFATAL refused\n"
    assert name_leads_nowhere(dossier(CRASHING, log=log)) is None


def test_a_pod_that_does_well_is_not_blamed_for_what_its_log_names() -> None:
    healthy: Dossier = dossier(
        pod(container(running(), ready=True)), log=f"ERROR {REFUSED}\nINFO connected\n"
    )
    assert healthy.references
    assert name_leads_nowhere(healthy) is None
    failing = dataclasses.replace(healthy, symptom=dossier(CRASHING).symptom)
    assert name_leads_nowhere(failing) is not None


def test_the_command_names_the_object() -> None:
    finding = name_leads_nowhere(dossier(CRASHING, log=f"{REFUSED}\n"))
    assert finding is not None
    commands = [each.command or "" for each in finding.fixes]
    assert any(each.endswith(" get service cache") for each in commands)
