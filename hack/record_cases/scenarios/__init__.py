"""All scenarios, by what fails."""

from __future__ import annotations

from hack.record_cases.scenario import Scenario
from hack.record_cases.scenarios import (
    configuration,
    crashes,
    healthy,
    images,
    memory,
    probes,
    refusals,
    scheduling,
    traffic,
)

SCENARIOS: tuple[Scenario, ...] = (
    *images.SCENARIOS,
    *crashes.SCENARIOS,
    *memory.SCENARIOS,
    *probes.SCENARIOS,
    *scheduling.SCENARIOS,
    *configuration.SCENARIOS,
    *refusals.SCENARIOS,
    *traffic.SCENARIOS,
    *healthy.SCENARIOS,
)
"""Their ids are unique: each is a namespace, and a folder in tests/cases."""
