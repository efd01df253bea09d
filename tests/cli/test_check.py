"""`dnsemu check`, `schema`, and what all commands share: exit statuses, stdout and stderr."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from dnsemu import __version__
from dnsemu.cli import COMMANDS, _dnsemu, check, schema

GOOD = """\
version: 1
hosted_zones:
  - name: example.com
    record_sets:
      - {name: www, type: A, ttl: 60, records: [192.0.2.1]}
"""
DOUBTFUL = GOOD.replace("example.com", "my.local")
BAD = GOOD.replace("ttl: 60", "tll: 60, ttl: 60").replace("192.0.2.1", "192.0.2.256")


def _check(*arguments: str | Path) -> Result:
    return CliRunner().invoke(check.command, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, with a good, a doubtful and a bad file."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("good", GOOD), ("doubtful", DOUBTFUL), ("bad", BAD)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


HUMAN_BAD = """\
bad.yaml:5:30: error[unknown-key]: the key 'tll' is not known here
          - {name: www, type: A, tll: 60, ttl: 60, records: [192.0.2.256]}
                                 ^
    hint: did you mean ttl?
bad.yaml:5:58: error[value-address]: A: '192.0.2.256' is not a valid IPv4 address
          - {name: www, type: A, tll: 60, ttl: 60, records: [192.0.2.256]}
                                                             ^
2 errors
"""
HUMAN_DOUBTFUL = """\
doubtful.yaml:3:11: warning[zone-special]: .local is for multicast DNS (RFC 6762): many systems do not ask a name \
server for it
      - name: my.local
              ^
    hint: a name under .test or .example is safe
1 warning
"""
GITHUB_BAD = """\
::error file=bad.yaml,line=5,col=30,title=unknown-key::the key 'tll' is not known here (did you mean ttl?)
::error file=bad.yaml,line=5,col=58,title=value-address::A: '192.0.2.256' is not a valid IPv4 address
"""
GITHUB_DOUBTFUL = """\
::warning file=doubtful.yaml,line=3,col=11,title=zone-special::.local is for multicast DNS (RFC 6762): many systems \
do not ask a name server for it (a name under .test or .example is safe)
"""
# Arguments, exit status, stdout, stderr
ROWS = [
    # A zone has its SOA and NS too
    ("good.yaml", 0, "ok: 1 hosted zone, 3 record sets\n", ""),
    ("doubtful.yaml", 0, "ok: 1 hosted zone, 3 record sets\n", HUMAN_DOUBTFUL),
    ("good.yaml doubtful.yaml", 0, "ok: 2 hosted zones, 6 record sets\n", HUMAN_DOUBTFUL),
    ("doubtful.yaml --strict", 1, "", HUMAN_DOUBTFUL),
    ("good.yaml --strict", 0, "ok: 1 hosted zone, 3 record sets\n", ""),
    ("bad.yaml", 1, "", HUMAN_BAD),
    ("nowhere", 4, "", "dnsemu: there is no file or folder nowhere\n"),
    ("nowhere --format json", 4, "", "dnsemu: there is no file or folder nowhere\n"),
    ("good.yaml nowhere", 4, "", "dnsemu: there is no file or folder nowhere\n"),
    ("", 4, "", "dnsemu: there is no file or folder zones\n"),
    ("good.yaml --format json", 0, "[]\n", ""),
    ("good.yaml --format github", 0, "", ""),
    ("bad.yaml --format github", 1, GITHUB_BAD, ""),
    ("doubtful.yaml --format github", 0, GITHUB_DOUBTFUL, ""),
    ("doubtful.yaml --format github --strict", 1, GITHUB_DOUBTFUL, ""),
]


@pytest.mark.parametrize(("arguments", "status", "stdout", "stderr"), ROWS)
def test_check(folder: Path, arguments: str, status: int, stdout: str, stderr: str) -> None:
    done = _check(*arguments.split())
    assert (done.exit_code, done.stdout, done.stderr) == (status, stdout, stderr)


@pytest.mark.parametrize("arguments", [["--format", "xml"], ["--strikt"], ["good.yaml", "--format"]])
def test_wrong_use(folder: Path, arguments: list[str]) -> None:
    done = _check(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error:" in done.stderr
    assert "Traceback" not in done.stderr


def test_json_has_every_field(folder: Path) -> None:
    done = _check("bad.yaml", "--format", "json")
    assert (done.exit_code, done.stderr) == (1, "")
    assert json.loads(done.stdout) == [
        {
            "file": "bad.yaml",
            "line": 5,
            "column": 30,
            "severity": "error",
            "code": "unknown-key",
            "message": "the key 'tll' is not known here",
            "hint": "did you mean ttl?",
        },
        {
            "file": "bad.yaml",
            "line": 5,
            "column": 58,
            "severity": "error",
            "code": "value-address",
            "message": "A: '192.0.2.256' is not a valid IPv4 address",
            "hint": "",
        },
    ]


def test_a_fault_of_a_whole_file_has_no_place_for_github(folder: Path) -> None:
    (folder / "empty").mkdir()
    done = _check("empty", "--format", "github")
    assert done.exit_code == 1
    assert done.stdout.startswith("::error file=empty,title=no-zones::")


def test_lines_and_percent_signs_are_escaped_for_github(folder: Path) -> None:
    (folder / "odd.yaml").write_text(GOOD.replace("[192.0.2.1]", r'["5%\r\n"]'))
    done = _check("odd.yaml", "--format", "github")
    assert done.stdout.count("\n") == 1
    assert r"5%25\r\n" in done.stdout


def test_a_comma_in_the_name_of_a_file_is_escaped_for_github(folder: Path) -> None:
    (folder / "a,line=1.yaml").write_text(BAD)
    assert _check("a,line=1.yaml", "--format", "github").stdout.startswith("::error file=a%2Cline=1.yaml,line=5,")


def test_the_default_is_the_folder_zones(folder: Path) -> None:
    (folder / "zones").mkdir()
    (folder / "zones" / "a.yaml").write_text(GOOD)
    assert _check().stdout == "ok: 1 hosted zone, 3 record sets\n"


def test_the_shipped_zones_are_good() -> None:
    done = _check(Path(__file__).parent.parent.parent / "zones", "--strict")
    assert (done.exit_code, done.stderr) == (0, "")


def test_schema() -> None:
    done = CliRunner().invoke(schema.command)
    assert (done.exit_code, done.stderr) == (0, "")
    jsonschema.Draft202012Validator.check_schema(json.loads(done.stdout))


def _program(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dnsemu", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=30,
        env={**os.environ, **environment},
    )


def test_as_a_module(folder: Path) -> None:
    done = _program("check", "bad.yaml", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", HUMAN_BAD)


def test_as_a_program(folder: Path) -> None:
    program = Path(sys.executable).with_name("dnsemu")
    if not program.exists():
        pytest.skip("dnsemu is not installed beside this Python")
    done = subprocess.run([program, "check", "good.yaml"], capture_output=True, text=True, cwd=folder, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok: 1 hosted zone, 3 record sets\n", "")


def test_no_colour_where_there_is_no_terminal(folder: Path) -> None:
    done = _program("check", "bad.yaml", "doubtful.yaml", cwd=folder, TERM="xterm-256color")
    assert "\x1b" not in done.stdout + done.stderr


def _on_a_terminal(*arguments: str, cwd: Path) -> str:
    """What a command writes on a terminal."""
    pty = pytest.importorskip("pty")
    reading, writing = pty.openpty()
    try:
        subprocess.run([sys.executable, "-m", "dnsemu", *arguments], stderr=writing, cwd=cwd, timeout=30, check=False)
        return os.read(reading, 65536).decode()
    finally:
        os.close(reading)
        os.close(writing)


def test_colour_on_a_terminal(folder: Path) -> None:
    assert re.search(r"\x1b\[31m.*error\[unknown-key\]", _on_a_terminal("check", "bad.yaml", cwd=folder))


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_help_lists_the_commands(arguments: list[str]) -> None:
    done = _program(*arguments)
    for name in COMMANDS:
        assert f"\n  {name} " in done.stdout + done.stderr


def test_version() -> None:
    assert _program("--version").stdout == f"dnsemu {__version__}\n"


@pytest.mark.parametrize("arguments", [["chekc"], ["--colour"], ["serve", "--prot", "1"], ["query"]])
def test_wrong_use_of_the_program_is_status_2(arguments: list[str]) -> None:
    done = _program(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "init"])
def test_every_command_has_help(name: str) -> None:
    done = CliRunner().invoke(_dnsemu, [name, "--help"], prog_name="dnsemu")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"Usage: dnsemu {name}")
