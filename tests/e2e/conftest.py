"""One server for the tests that only ask."""

from collections.abc import Iterator

import pytest
from e2e.launch import Launched, launched


@pytest.fixture(scope="session")
def server() -> Iterator[Launched]:
    """Serves the example zones."""
    with launched("--seed", "42") as one:
        yield one
