"""Health checks: probing endpoints in the background, and judging what came of it.

`judge` and `ledger` are pure; `monitor` runs the probes and publishes a snapshot when a status changes.
"""

from dnsemu.health.judge import AlarmState, ControlState
from dnsemu.health.ledger import DURATIONS, PHASES, Checker, Forced, Ledger, Standing, Transition, initial_snapshot
from dnsemu.health.monitor import Monitor, Probed
from dnsemu.health.observation import Observation, Probe, Resolve, TimeLimits, Unresolved
from dnsemu.health.resolve import Resolver

__all__ = [
    "DURATIONS",
    "PHASES",
    "AlarmState",
    "Checker",
    "ControlState",
    "Forced",
    "Ledger",
    "Monitor",
    "Observation",
    "Probe",
    "Probed",
    "Resolve",
    "Resolver",
    "Standing",
    "TimeLimits",
    "Transition",
    "Unresolved",
    "initial_snapshot",
]
