"""Finding files, and files that are no text: one clear error each."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from dnsemu.app import load, load_text
from dnsemu.cli import check
from dnsemu.config import MissingPath, find_files
from dnsemu.errors import ConfigError, Fault

GOOD = "version: 1\nhosted_zones:\n  - name: example.com\n"


def _fault(path: Path) -> Fault:
    with pytest.raises(ConfigError) as raised:
        load([path])
    (fault,) = raised.value.faults
    return fault


def _files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("version: 1\n")


def test_a_folder_is_read_sorted_and_with_what_is_below_it(tmp_path: Path) -> None:
    _files(tmp_path, "b.yaml", "a.yml", "sub/c.yaml", "sub/deep/d.yaml", "a/z.yaml", "B.yaml")
    found = [str(path.relative_to(tmp_path)) for path in find_files([tmp_path])]
    assert found == ["B.yaml", "a/z.yaml", "a.yml", "b.yaml", "sub/c.yaml", "sub/deep/d.yaml"]


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.yaml",
        ".git/config.yaml",
        "sub/.hidden/a.yaml",
        "scenarios/demo.yaml",
        "sub/scenarios/demo.yaml",
        "sub/scenarios/deep/demo.yaml",
        "notes.txt",
        "a.yaml.bak",
        "a.yaml~",
        "a.json",
        "yaml",
        "a.YAML",
    ],
)
def test_what_is_left_out(tmp_path: Path, name: str) -> None:
    _files(tmp_path, "a.yaml", name)
    assert find_files([tmp_path]) == [tmp_path / "a.yaml"]


@pytest.mark.parametrize("name", ["scenarios.yaml", "my-scenarios/a.yaml", "sub.yaml/a.yaml"])
def test_what_is_not_left_out(tmp_path: Path, name: str) -> None:
    _files(tmp_path, name)
    assert find_files([tmp_path]) == [tmp_path / name]


@pytest.mark.parametrize("name", [".hidden.yaml", "scenarios/a.yaml", "zones.conf"])
def test_a_file_that_is_named_is_read_whatever_its_name(tmp_path: Path, name: str) -> None:
    _files(tmp_path, name)
    assert find_files([tmp_path / name]) == [tmp_path / name]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    assert len(load([tmp_path, tmp_path / "a.yaml", tmp_path]).configuration.hosted_zones) == 1


def test_a_folder_that_links_to_itself(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert len(load([tmp_path]).configuration.hosted_zones) == 1


def test_links_are_followed(tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap: the file is a link into a folder whose name begins with a dot."""
    _files(tmp_path, "..data/a.yaml")
    (tmp_path / "a.yaml").symlink_to(Path("..data") / "a.yaml")
    assert find_files([tmp_path]) == [tmp_path / "a.yaml"]


@pytest.mark.parametrize("name", ["nowhere", "nowhere.yaml", "a.yaml/b.yaml"])
def test_a_path_that_is_not_there(tmp_path: Path, name: str) -> None:
    _files(tmp_path, "a.yaml")
    with pytest.raises(MissingPath, match=name):
        load([tmp_path / name])


def test_a_folder_without_zone_files(tmp_path: Path) -> None:
    fault = _fault(tmp_path)
    assert fault.code == "no-zones"
    assert str(tmp_path) in str(fault)


def test_a_dangling_link_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("nowhere")
    fault = _fault(tmp_path)
    assert fault.code == "file-unreadable"
    assert "a.yaml" in str(fault)


def test_a_dangling_link_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("nowhere")
    with pytest.raises(MissingPath):
        load([tmp_path / "a.yaml"])


@contextmanager
def _without_rights() -> Iterator[None]:
    """Root may read everything, so another user asks."""
    if not hasattr(os, "geteuid"):
        pytest.skip("no file modes here")
    own = os.geteuid()
    if own == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(own)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter; those of `tmp_path` are their owner's alone."""
    with tempfile.TemporaryDirectory(prefix="dnsemu-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_an_unreadable_file(open_folder: Path) -> None:
    (open_folder / "a.yaml").write_text(GOOD)
    (open_folder / "a.yaml").chmod(0)
    (open_folder / "b.yaml").write_text("version: 2\n")
    with _without_rights(), pytest.raises(ConfigError) as raised:
        load([open_folder])
    unreadable, other = raised.value.faults
    assert str(unreadable) == (
        f"{open_folder / 'a.yaml'}: error[file-unreadable]: the file can not be read: Permission denied"
    )
    assert other.code == "version"


@pytest.mark.parametrize("named", [True, False], ids=["named", "in a folder"])
def test_an_unreadable_file_is_status_4(open_folder: Path, named: bool) -> None:
    (open_folder / "a.yaml").write_text(GOOD)
    (open_folder / "a.yaml").chmod(0)
    with _without_rights():
        done = CliRunner().invoke(check.command, [str(open_folder / "a.yaml" if named else open_folder)])
    assert done.exit_code == 4


def test_an_unreadable_folder(open_folder: Path) -> None:
    (open_folder / "closed").mkdir(0)
    with _without_rights():
        done = CliRunner().invoke(check.command, [str(open_folder)])
    assert done.exit_code == 4
    assert done.stderr == f"dnsemu: {open_folder / 'closed'} can not be read: Permission denied\n"


# Octets that are no zone file, the code, and where.
OCTETS = [
    pytest.param(b"\xff\xfe" + GOOD.encode("utf-16-le"), "file-encoding", (1, 1), "UTF-16", id="utf-16-le"),
    pytest.param(b"\xfe\xff" + GOOD.encode("utf-16-be"), "file-encoding", (1, 1), "UTF-16", id="utf-16-be"),
    pytest.param(b"version: 1\n# gr\xfc\xdfe\n", "file-encoding", (2, 5), "0xfc", id="latin-1"),
    pytest.param(b"version: 1\n# \xc3\xbc\xff\n", "file-encoding", (2, 4), "0xff", id="column-counts-letters"),
    pytest.param(b"version: 1\n# \xc3", "file-encoding", (2, 3), "0xc3", id="cut-off"),
    pytest.param(b"version: 1\n# \xed\xa0\x80\n", "file-encoding", (2, 3), "0xed", id="surrogate"),
    pytest.param(b"\x7fELF\x02\x01\x01\x00\x00\x00", "yaml-character", (1, 1), r"\x7f", id="elf"),
    pytest.param(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "file-encoding", (1, 1), "0x89", id="png"),
    pytest.param(b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "file-encoding", (1, 2), "0x8b", id="gzip"),
    pytest.param(b"version: 1\n\x00\n", "yaml-character", (2, 1), r"\x00", id="zero"),
    pytest.param(b"version: 1\n# \x1b[31mred\n", "yaml-character", (2, 3), r"\x1b", id="escape"),
    pytest.param("version: 1\n# \u0080\n".encode(), "yaml-character", (2, 3), "", id="c1-control"),
    pytest.param("version: 1\n# \uffff\n".encode(), "yaml-character", (2, 3), "", id="noncharacter"),
]


@pytest.mark.parametrize(("octets", "code", "place", "said"), OCTETS)
def test_octets_that_are_no_text(tmp_path: Path, octets: bytes, code: str, place: tuple[int, int], said: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(octets)
    fault = _fault(file)
    assert fault.code == code
    assert (fault.origin.line, fault.origin.column) == place
    assert said in fault.message
    assert fault.message.isprintable()


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_a_byte_order_mark_and_any_line_end(tmp_path: Path, end: str) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", end or "\n").rstrip().encode())
    assert load([tmp_path]).configuration.hosted_zones[0].name == b"\7example\3com\0"


def test_a_file_of_40_mb(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    with file.open("wb") as stream:
        stream.truncate(40 << 20)
    fault = _fault(file)
    assert fault.code == "file-too-large"
    assert "32 MiB" in fault.message


def test_a_file_that_never_ends() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("no /dev/zero here")
    assert _fault(Path("/dev/zero")).code == "file-too-large"


def test_faults_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff")
    (tmp_path / "b.yaml").write_text("version: 2\n")
    (tmp_path / "c.yaml").write_text("version: [\n")
    (tmp_path / "d.yaml").symlink_to("nowhere")
    (tmp_path / "e.yaml").write_text(GOOD)
    with pytest.raises(ConfigError) as raised:
        load([tmp_path])
    found = [(Path(fault.origin.file).name, fault.code) for fault in raised.value.faults]
    assert found == [
        ("a.yaml", "file-encoding"),
        ("b.yaml", "version"),
        ("c.yaml", "yaml-syntax"),
        ("d.yaml", "file-unreadable"),
    ]


@pytest.mark.parametrize("text", ["# nothing yet\n", "version: 1\n", "version: 1\nhosted_zones: []\n"])
def test_nothing_in_a_file(text: str) -> None:
    assert load_text(text).configuration.hosted_zones == []


def test_a_text_with_half_a_letter() -> None:
    with pytest.raises(ConfigError):
        load_text("# \ud800\n")
