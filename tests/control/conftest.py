"""Servers that tests share; each test finds them as after their start."""

from collections.abc import Iterator

import pytest
from control.harness import ALL_POLICIES, CHECKS, PLACES, Operated, anew, checks_zone, operated


@pytest.fixture(scope="session")
def _places() -> Iterator[Operated]:
    with operated(PLACES) as server:
        yield server


@pytest.fixture(scope="session")
def _checks() -> Iterator[Operated]:
    with operated(checks_zone(CHECKS)) as server:
        yield server


@pytest.fixture(scope="session")
def _policies() -> Iterator[Operated]:
    with operated(path=ALL_POLICIES) as server:
        yield server


@pytest.fixture
def places(_places: Operated) -> Operated:
    """Names that tell where their client is."""
    return anew(_places)


@pytest.fixture
def checks(_checks: Operated) -> Operated:
    """Names that tell the health of a check."""
    return anew(_checks)


@pytest.fixture
def policies(_policies: Operated) -> Operated:
    """What zones/all-policies.yaml has."""
    return anew(_policies)
