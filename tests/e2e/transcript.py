"""Transcripts in documents: commands behind a `$`, each with what it prints, played against a server of their own."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from importlib import import_module

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
    return lines


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
