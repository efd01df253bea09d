"""Files and folders that a command looks at, for commands that serve nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dnsemu.app import Loaded, load
from dnsemu.cli.output import Exit, fail, print_faults, status_of
from dnsemu.config import MissingPath
from dnsemu.errors import ConfigError, counted_faults


def load_or_leave(paths: Sequence[Path]) -> Loaded:
    """The configuration; warnings are left out. Leaves with what is wrong if it could not be served."""
    try:
        return load(paths)
    except MissingPath as error:
        fail(str(error), Exit.UNREADABLE)
    except ConfigError as error:
        print_faults(error.faults, error.texts)
        fail(counted_faults(error.faults), status_of(error.faults))
