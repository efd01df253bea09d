"""Health checks: probing endpoints in the background, and judging what came of it.

`judge`, `standing`, `succession` and `ledger` are pure; `monitor` runs the probes and publishes a snapshot when a
status changes.
"""

from dnsemu.health.judge import AlarmState, ControlState
from dnsemu.health.ledger import Ledger, initial_snapshot
from dnsemu.health.monitor import Monitor, Probed
from dnsemu.health.observation import Observation, Probe, Resolve, TimeLimits, Unresolved
from dnsemu.health.resolve import Resolver
from dnsemu.health.standing import DURATIONS, PHASES, Checker, Forced, Standing, Transition
from dnsemu.health.succession import Succession

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
    "Succession",
    "TimeLimits",
    "Transition",
    "Unresolved",
    "initial_snapshot",
]
