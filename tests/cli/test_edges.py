"""What happens at the edges: interrupted, out of descriptors, nowhere to write, far too many errors."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from e2e.launch import launched

from dnsemu.app import load_text
from dnsemu.cli import check, query, serve
from dnsemu.errors import ConfigError
from dnsemu.testing import serve as served

ZONE = "version: 1\nhosted_zones:\n  - name: example.com\n    record_sets:\n"


def test_an_interrupted_query_is_130() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(20)
        argv = [sys.executable, "-m", "dnsemu", "query", "x.test", "--server", f"127.0.0.1:{silent.getsockname()[1]}"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            silent.recv(512)  # it has asked and waits
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130
            assert process.stderr is not None
            assert process.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_that_can_not_be_written() -> None:
    with Path("/dev/full").open("wb") as full:
        argv = [sys.executable, "-m", "dnsemu", "schema"]
        done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


def test_a_server_with_few_file_descriptors_goes_on_answering() -> None:
    few = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))"
    main = "from dnsemu.cli import main; main()"
    with launched(program=[sys.executable, "-c", f"{few}; {main}"]) as server:
        sockets = []
        try:
            for _ in range(150):
                sock = socket.socket()
                sock.connect(server.address)
                sockets.append(sock)
            sockets[0].sendall(b"\0\x1d\0\1\1\0\0\1\0\0\0\0\0\0\3api\7example\3com\0\0\1\0\1")
            sockets[0].settimeout(20)
            assert sockets[0].recv(512)
            assert "too many TCP connections" in server.wait_for_log("too many TCP connections")
        finally:
            for sock in sockets:
                sock.close()
        assert server.stop()[0] == 0
        assert "Traceback" not in server.log
        assert "out of system resource" not in server.log
        # Once, and perhaps again if some are still being turned away while the others leave; never for each.
        assert 1 <= server.log.count("too many TCP connections") < 10


def test_thousands_of_faults_are_printed_in_time(tmp_path: Path) -> None:
    rows = "".join(f"      - {{name: a{i}, type: A, ttl: x, records: 1.2.3}}\n" for i in range(3000))
    (tmp_path / "a.yaml").write_text(ZONE + rows)
    began = time.process_time()
    done = CliRunner().invoke(check.command, [str(tmp_path)])
    assert done.stderr.endswith("6000 errors\n")
    assert time.process_time() - began < 10  # it was quadratic


@pytest.mark.parametrize("closed", [True, False], ids=["loop", "chain"])
def test_thousands_of_aliases_in_a_row(closed: bool) -> None:
    rows = "".join(f"      - {{name: a{i}, type: A, alias: {{name: a{i + 1}}}}}\n" for i in range(2000))
    last = "alias: {name: a0}" if closed else "ttl: 60, records: 192.0.2.1"
    began = time.process_time()
    with pytest.raises(ConfigError) as raised:
        load_text(f"{ZONE}{rows}      - {{name: a2000, type: A, {last}}}\n")
    assert {fault.code for fault in raised.value.faults} == {"alias-loop" if closed else "alias-depth"}
    assert time.process_time() - began < 10


def test_values_below_a_wrong_zone_name_are_told_too() -> None:
    text = ZONE.replace("example.com", '"x y"') + "      - {name: a.example.com., type: A, ttl: 1, records: 1.2.3}\n"
    with pytest.raises(ConfigError) as raised:
        load_text(text)
    assert [fault.code for fault in raised.value.faults] == ["name-character", "value-address"]


def test_all_that_serve_says_is_json_where_that_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ZONE + "      - {name: a, type: A, ttl: 1, records: 1.2.3}\n")
    for paths in ([str(tmp_path)], [str(tmp_path / "nowhere")]):
        done = CliRunner().invoke(serve.command, [*paths, "--log-format", "json"])
        events = [json.loads(line) for line in done.stderr.splitlines()]
        assert events
        assert all(event["level"] == "error" for event in events)


@pytest.mark.parametrize("rdtype", ["TYPE65536", "TYPE99999", "NOTYPE"])
def test_a_type_that_is_none(rdtype: str) -> None:
    assert CliRunner().invoke(query.command, ["x.test", rdtype]).exit_code == 2


def test_one_address_twice() -> None:
    done = CliRunner().invoke(serve.command, ["--listen", "127.0.0.1:5300", "--listen", "127.0.0.1:5300"])
    assert done.exit_code == 2
    assert "given twice" in done.stderr


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0"])
def test_the_test_kit_on_other_addresses(host: str) -> None:
    with served(text=ZONE + "      - {name: a, type: A, ttl: 1, records: 192.0.2.1}\n", host=host) as dns:
        assert dns.resolve("a.example.com") == ["192.0.2.1"]
        assert dns.address[0] == "127.0.0.1"
