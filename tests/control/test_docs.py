"""What docs/http-api.md shows is what happens: its transcripts are played, with a curl and a jq of our own."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from control.harness import ROOT, Event, Events, Operated, Reply, operated
from e2e.transcript import consoles

from dnsemu.control.api import ROUTES
from dnsemu.control.routes import STATUSES

DOCUMENT = (ROOT / "docs" / "http-api.md").read_text("utf-8")
_VARIES = {  # what differs from run to run, and what stands for it
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z": "2026-11-20T10:04:52.120Z",
    r'("sha256": ?)"[0-9a-f]{64}"': r'\1"2f1c…"',
    r'("sha256": ?)"[0-9a-f]+…"': r'\1"2f1c…"',
    r'("uptime": ?)[0-9.]+': r"\g<1>2.12",
    r'("(version|python)": ?)"[0-9a-z.+]+"': r'\1"…"',
    r'("record_sets": ?)\d+': r"\g<1>100",
}


def masked(text: str) -> str:
    """With what varies made equal."""
    for pattern, instead in _VARIES.items():
        text = re.sub(pattern, instead, text)
    return text.strip()


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """Where commands are given: beside a folder zones/, which is served."""
    shutil.copytree(ROOT / "zones", tmp_path / "zones")
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:
        yield Shell(stack.enter_context(operated(path=Path("zones"))), stack)


class Shell:
    """Plays curl, dig, echo and rm as far as the document needs them."""

    def __init__(self, server: Operated, stack: ExitStack) -> None:
        self._server, self._stack = server, stack
        self._events: Events | None = None

    def play(self, line: str, expected: str) -> str:
        """What a line prints; with events behind it, as many as are expected."""
        command, _, filtered = line.partition(" | ")
        words = shlex.split(command)
        printed: str = getattr(self, f"_{words[0]}")(words[1:])
        if filtered:
            printed = jq(shlex.split(filtered), printed)
        told = [self._next() for _ in re.findall(r"^event: ", expected, re.M)]
        return "\n".join([*([printed.rstrip("\n")] if printed else []), *told])

    def _next(self) -> str:
        assert self._events is not None, "nobody listens"
        event: Event = self._events.next()
        return f"event: {event.kind}\ndata: {json.dumps(event.content, ensure_ascii=False)}\n"

    def _curl(self, words: list[str]) -> str:
        if words == ["-sN", "localhost:8053/api/v1/events", "&"]:
            self._events = self._stack.enter_context(self._server.listening())
            return ": dnsemu"
        method, data, headers, is_silent, path = "", None, {}, False, ""
        rest = iter(words)
        for word in rest:
            match word:
                case "-s":
                    pass
                case "-X":
                    method = next(rest)
                case "-d":
                    data = next(rest).encode()
                case "-H":
                    name, _, value = next(rest).partition(": ")
                    headers[name] = value
                case "-o":
                    is_silent = next(rest) == "/dev/null"
                case _:
                    url = urlsplit(f"http://{word}")
                    assert url.netloc == "localhost:8053", word
                    path = f"{url.path}?{url.query}" if url.query else url.path
        if data is not None:
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")  # curl does
        reply: Reply = self._server.call(method or ("POST" if data else "GET"), path, octets=data, headers=headers)
        return "" if is_silent else self._at_home(reply.body.decode())

    def _at_home(self, text: str) -> str:
        """With the ports that servers have if nobody says otherwise."""
        return text.replace(str(self._server.dns[1]), "5300").replace(str(self._server.http[1]), "8053")

    def _dig(self, words: list[str]) -> str:
        names = [word for word in words if "." in word and word[0] not in "@+"]
        types = [word for word in words if word.isupper()]
        assert [word for word in words if word not in (*names, *types)] == ["@127.0.0.1", "-p", "5300", "+short"]
        return "\n".join(self._server.values(names[0], *types))

    def _echo(self, words: list[str]) -> str:
        text, arrow, file = words
        assert arrow == ">"
        Path(file).write_text(f"{text}\n", encoding="utf-8")
        return ""

    def _rm(self, words: list[str]) -> str:
        (file,) = words
        Path(file).unlink()
        return ""


def jq(words: list[str], text: str) -> str:
    """What jq prints, as far as it is needed here: `.a.b`, `.[]`, `{a, b}`, `|`."""
    assert words[0] == "jq"
    options = {word for word in words[1:] if word.startswith("-")}
    values = [json.loads(text)]
    for step in "".join(word for word in words[1:] if word not in options).split("|"):
        values = [found for value in values for found in _stepped(step.strip(), value)]
    return "\n".join(
        value
        if "-r" in options and isinstance(value, str)
        else json.dumps(
            value,
            ensure_ascii=False,
            indent=None if "-c" in options else 2,
            separators=(",", ":") if "-c" in options else None,
        )
        for value in values
    )


def _stepped(step: str, value: Any) -> list[Any]:
    if step.startswith("{"):
        return [{key.strip(): value[key.strip()] for key in step.strip("{}").split(",")}]
    for key in re.findall(r"\w+", step):
        value = value[key]
    return list(value) if step.endswith("[]") else [value]


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a block, and what it is said to print."""
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        line, _, printed = part.partition("\n")
        yield line, printed


def played(shell: Shell, block: str) -> str:
    """The block as it happens."""
    lines = []
    for line, expected in commands(block):
        printed = shell.play(line, expected)
        lines.append(f"$ {line}\n{printed}".strip())
    return "\n".join(lines)


@pytest.mark.parametrize("block", consoles(DOCUMENT), ids=lambda block: block.split("\n")[0][2:70])
def test_a_transcript(shell: Shell, block: str) -> None:
    assert masked(played(shell, block)).split("\n") == masked(block).split("\n")


def test_every_operation_has_a_row_and_is_called() -> None:
    rows = re.findall(r"^\| \[`([A-Z]+) (/.*?)`\]", DOCUMENT, re.M)
    assert set(rows) == {(route.method, re.sub(r"\{(\w+)(:[^}]*)?\}", r"{\1}", route.path)) for route in ROUTES}
    called = [line for block in consoles(DOCUMENT) for line, _ in commands(block) if line.startswith("curl ")]
    for method, path in rows:
        url = f"localhost:8053{re.sub(r'{.*?}', r'[^/ ]+', path)}"
        wanted = f"-X {method} " if method in ("PUT", "DELETE") else ""
        assert path in ("/metrics", "/api/v1/openapi.json") or any(
            wanted in line and re.search(rf"{url}(?=[ ?']|$)", line) for line in called
        ), path


def test_every_error_has_a_row() -> None:
    rows = re.findall(r"^\| (\d{3}) \| (.*?) \|", DOCUMENT, re.M)
    told = {(int(status), code.strip("`")) for status, codes in rows for code in codes.split(", ")}
    assert {(status, code) for status, code in STATUSES.items()} <= told
    assert told - set(STATUSES.items()) == {
        (400, "invalid-configuration"),
        (400, "missing-path"),
        (503, "not-ready"),
    }


def test_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", DOCUMENT) if "://" not in link]
    anchors = {
        f"#{re.sub(r'[^a-z -]', '', one.lower()).replace(' ', '-')}"
        for one in re.findall(r"^## (.*)$", DOCUMENT, re.M)
    }
    assert [link for link in links if link.startswith("#") and link not in anchors] == []
    files = [link.partition("#")[0] for link in links if not link.startswith("#")]
    assert [file for file in files if not (ROOT / "docs" / file).exists()] == []
