"""The HTTP listener: routes, who may call them, and how many may be connected."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel

from dnsemu import __version__
from dnsemu.control.api import ROUTES
from dnsemu.control.guard import is_foreign, may_change
from dnsemu.control.operator import Operator
from dnsemu.control.routes import Refused, Route, give, read_no_query, read_nothing, refusal
from dnsemu.errors import printable
from dnsemu.model import Network
from dnsemu.server.bind import accept

_log = logging.getLogger(__name__)
_http_log = logging.getLogger(f"{__name__}.http")
LARGEST_BODY = 1 << 20  # octets
_KEEPALIVE = 30.0  # seconds without a request
_LINGERING = 1.0  # seconds for the rest of a body that was refused: who still sends would miss the answer
_END = 0.5  # seconds that requests have to end when the server stops
_CALLS = "only 127.0.0.1, ::1 and what --allow-control names may"


class Listener:
    """Answers HTTP on a socket that is bound already, which it owns, on the running loop."""

    def __init__(self, sock: socket.socket, operator: Operator, allowed: Sequence[Network], most: int) -> None:
        """`allowed`: blocks of clients that may change something, beside this machine; `most`: connections."""
        self._most = most
        self._is_full = False  # since somebody was turned away, until there is room again
        self._sock = sock
        self._operator = operator
        self._allowed = allowed
        self._server: asyncio.Server | None = None
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[self._guarded])
        app.on_response_prepare.append(_sign)
        for route in ROUTES:
            answering = self._answering(route)
            app.router.add_route(route.method, route.path, answering)
            if route.method == "GET" and route.gives != "text/event-stream":
                app.router.add_route("HEAD", route.path, answering)  # RFC 9110 9.3.2
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=_http_log,
            handle_signals=False,
            keepalive_timeout=_KEEPALIVE,
            shutdown_timeout=_END,
            lingering_time=_LINGERING,
            auto_decompress=False,  # nobody packs such small bodies, and a megabyte may unpack to a thousand
        )

    async def start(self) -> None:
        """Begin to answer."""
        await self._runner.setup()
        self._server = await accept(self._connect, self._sock)

    async def close(self) -> None:
        """Stop, and end every connection."""
        if self._server is not None:
            self._server.close()
        self._sock.close()
        await self._runner.cleanup()

    def _connect(self) -> asyncio.Protocol:
        """A connection; one too many is ended at once."""
        server = self._runner.server
        assert server is not None, "there are no connections before setup"
        if len(server.connections) < self._most:
            self._is_full = False
            return server()
        if not self._is_full:
            _log.warning("too many HTTP connections: new ones are closed, the limit is %d", self._most)
        self._is_full = True
        return _TurnedAway()

    @web.middleware
    async def _guarded(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Every error as JSON, whatever it is and wherever it comes from."""
        try:
            if is_foreign(request.headers):
                raise Refused(403, "a page of another origin can not call this")
            return await handler(request)
        except Refused as error:
            return refusal(error)
        except web.HTTPRequestEntityTooLarge:
            return refusal(Refused(413, f"the body has more than {LARGEST_BODY >> 20} MiB"))
        except web.HTTPMethodNotAllowed as error:
            allowed = ", ".join(sorted(error.allowed_methods))
            answer = refusal(Refused(405, f"{request.method} is not possible here: {allowed}"))
            answer.headers["Allow"] = allowed
            return answer
        except web.HTTPNotFound:
            return refusal(Refused(404, f"there is nothing at {request.path}; /api/v1/openapi.json lists what is"))
        except web.HTTPException as error:
            return refusal(Refused(error.status, HTTPStatus(error.status).phrase))
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:
            _log.exception("%s %s could not be answered", request.method, request.path)
            return refusal(Refused(500, "this is a bug of dnsemu; its log says more", code="bug"))

    def _answering(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            if route.changes and not may_change(request.remote or "", self._allowed):
                _log.info("%s %s is not for %s: %s", request.method, printable(request.path), request.remote, _CALLS)
                raise Refused(403, f"{request.remote} may not change anything: {_CALLS}")
            if route.by is None and route.path.startswith("/api/"):
                read_no_query(request)
            if route.changes and route.asks is None:
                await read_nothing(request)
            given = await route.handler(self._operator, request)
            return give(given) if isinstance(given, BaseModel) else given

        return answer


async def _sign(_: web.Request, response: web.StreamResponse) -> None:
    """So that who calls knows whom it reached."""
    response.headers["Server"] = f"dnsemu/{__version__}"


class _NotOurs(logging.Filter):
    """Leaves out what is a mistake of the peer, or its going away: it got its answer, if it can have one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it."""
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError | ConnectionError)


_http_log.addFilter(_NotOurs())


class _TurnedAway(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.abort()  # type: ignore[attr-defined]
