"""Transcripts in documents: commands behind a `$`, each with what it prints, played against a server of their own."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from importlib import import_module
from itertools import groupby

import pytest
from click.testing import CliRunner
from e2e.launch import PATIENCE, ROOT, need

from dnsemu.testing import serve

DEFAULT_PORT = "5300"
_LEFT_OUT = re.compile(
    r"; <<>> DiG|;; global options|; \(\d+ server|;; (Got answer|Query time|SERVER|WHEN|MSG SIZE|WARNING)|$"
)
_VARIES = {  # what differs from run to run, and what stands for it
    r"\bid: \d+": "id: 0",
    r"\b\d+ bytes from \S+ in [0-9.]+ ms": "0 bytes",
}

_VALUE = re.compile(r"[0-9a-f.:]+$")


def consoles(text: str) -> list[str]:
    """The ```console blocks of a document."""
    return re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S)


def commands(block: str) -> Iterator[tuple[list[str], list[str]]]:
    """Each command of a block, as words, and the lines it is said to print."""
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        line, _, printed = part.partition("\n")
        yield shlex.split(line, comments=True), said(printed)


def played(block: str) -> list[tuple[list[str], list[str]]]:
    """The same with what is printed in truth, by a server that was started for this block on the example zones."""
    with pytest.MonkeyPatch.context() as patch, serve(ROOT / "zones") as server:
        patch.chdir(ROOT)
        patch.setenv("COLUMNS", "80")
        return [(words, said(_run(words, server.address[1]))) for words, _ in commands(block)]


def said(printed: str) -> list[str]:
    """Lines that count, with what varies made equal; dig separates fields by tabs or blanks."""
    lines = []
    for line in printed.splitlines():
        if not _LEFT_OUT.match(line):
            for pattern, text in _VARIES.items():
                line = re.sub(pattern, text, line)
            lines.append(re.sub(r"\t+", " ", re.sub(r"\s+(?=IN\b)", " ", line)).rstrip())
    return [line for _, of_one in groupby(lines, _record_set) for line in sorted(of_one)]


def _record_set(line: str) -> object:
    """What lines that may come in any order have in common: the values of a record set, as dig prints them."""
    owner, *rest = line.split(" ")
    if len(rest) >= 4 and rest[1] == "IN":
        return owner, rest[2]
    return "short" if not rest and _VALUE.match(line) else object()


def _run(words: list[str], port: int) -> str:
    program, *arguments = words
    if program == "dig":
        arguments[arguments.index(DEFAULT_PORT)] = str(port)
        argv = [need("dig", "bind9-dnsutils"), "-r", *arguments]
        return subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    assert program == "dnsemu", f"{program} is not known here"
    name, *arguments = arguments
    asks = ["--server", f"127.0.0.1:{port}"] if name == "query" else []
    done = CliRunner().invoke(import_module(f"dnsemu.cli.{name}").command, [*arguments, *asks])
    assert done.exit_code == 0, done.output
    return done.output
