"""A pytest plugin: under CI=true a test may be skipped only for a reason that is foreseen.

A test that is skipped by mistake says nothing, for ever. So continuous integration fails when one is skipped for a
reason that is not in the list below. `pytest_plugins = ["skips"]` in tests/conftest.py switches it on.
"""

from __future__ import annotations

import os
import re

import pytest

FORESEEN = (
    r"needs (dig|unbound) \(Debian: apt install [a-z0-9-]+\)",  # .ci/run installs them where it may
    r"this Unbound was built without the module subnetcache",
    r"no IPv6 on the loopback interface",
    r"only Linux has all of 127\.0\.0\.0/8",
    r"recvmmsg is there on Linux only",
    r"no Python ≥ 3\.11 with venv and ensurepip that a user other than root may run",
)


class _Skips:
    """Collects the reasons of one session."""

    def __init__(self) -> None:
        self.unforeseen: dict[str, str] = {}

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report)

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = text.removeprefix("Skipped: ")
        if not any(re.fullmatch(one, reason) for one in FORESEEN):
            self.unforeseen[report.nodeid] = reason

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.unforeseen and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unforeseen:
            terminalreporter.section("skipped for a reason that is not in tests/skips.py", red=True, bold=True)
        for test, reason in self.unforeseen.items():
            terminalreporter.line(f"{test}: {reason}")


def pytest_configure(config: pytest.Config) -> None:
    """Look at skips under CI=true only: whoever lacks dig on a laptop is not to be bothered."""
    if os.environ.get("CI", "").lower() == "true":
        config.pluginmanager.register(_Skips(), "dnsemu-skips")
