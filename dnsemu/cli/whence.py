"""`--from`: who asks, as people say it."""

from __future__ import annotations

from collections.abc import Collection

import click

from dnsemu.config import geography
from dnsemu.errors import TextError
from dnsemu.location import Whence
from dnsemu.location import read_whence as read


def read_whence(text: str, places: Collection[str] | None = None, option: str = "--from") -> Whence:
    """Who asks. `places`: the named places there are; None if that is not known here. Raises BadParameter."""
    try:
        return read(text, geography(), places)
    except TextError as error:
        hint = f"; {error.hint}" if error.hint else ""
        raise click.BadParameter(error.message + hint, param_hint=option) from None
