"""What the HTTP API asks of the server: `app` implements it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from dnsemu.authority import Authority
from dnsemu.control.events import Events
from dnsemu.draws import Draws
from dnsemu.errors import Fault
from dnsemu.health import Monitor
from dnsemu.model import ClientBlock, Configuration, Network
from dnsemu.server import Recent


class Served(NamedTuple):
    """A configuration that is served: the SHA-256 of its files, and what there is to warn of."""

    configuration: Configuration
    sha256: str
    warnings: Sequence[Fault]


class NotReloadable(Exception):
    """The configuration is not from files."""


class Operator(Protocol):
    """The server, for whoever operates it. All calls are made on the server's event loop.

    `started_at`: seconds since the epoch; `listeners`: HOST:PORT of each, `dns` and `http`.
    """

    @property
    def version(self) -> str: ...
    @property
    def started_at(self) -> float: ...
    @property
    def listeners(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def is_ready(self) -> bool: ...
    @property
    def served(self) -> Served: ...
    @property
    def authority(self) -> Authority: ...
    @property
    def draws(self) -> Draws: ...
    @property
    def monitor(self) -> Monitor: ...
    @property
    def recent(self) -> Recent: ...
    @property
    def events(self) -> Events: ...
    @property
    def places(self) -> Mapping[Network, ClientBlock]: ...

    def set_place(self, place: ClientBlock) -> None:
        """Take the clients of a block to be somewhere, from the next answer on."""

    def drop_place(self, block: Network) -> bool:
        """Take them to be where they are; False if that block was not set."""

    async def reload(self) -> Served:
        """Read the files again, and serve what is in them. Raises ConfigError, MissingPath, NotReloadable."""

    def reset(self) -> None:
        """Drop what was forced, set and remembered."""

    async def render_metrics(self, accept: str) -> tuple[bytes, str]:
        """Metrics in a form that is acceptable, and its content type."""
