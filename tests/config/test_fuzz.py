"""Whatever stands in a file: it is loaded, or refused with a ConfigError whose faults can be printed."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dnsemu.app import load_sources
from dnsemu.cli.output import as_github, as_json, human
from dnsemu.config import Source, decode
from dnsemu.errors import ConfigError, Fault

GOOD = (Path(__file__).parent / "example.yaml").read_text("utf-8")
LINES = GOOD.split("\n")

_TOKENS = st.sampled_from(
    [
        *(
            "[",
            "]",
            "{",
            "}",
            ":",
            "- ",
            "? ",
            "&a ",
            "*a",
            "!!int ",
            "<<",
            "|",
            ">",
            "#",
            "\n",
            "\t",
            "'",
            '"',
            "~",
            ",",
        ),
        *(
            "---\n",
            "...",
            "%",
            "@",
            "`",
            "null",
            "no",
            "0",
            "-1",
            "999999999999999999999",
            "é",
            "\x00",
            "\ufeff",
            "\\",
        ),
        *("name", "type", "alias", "members", "records", "vpc", "dnsemu", "options", "places", "hosted_zones"),
    ]
)


def _refusal(sources: list[Source], faults: list[Fault]) -> ConfigError | None:
    try:
        load_sources(sources, faults)
    except ConfigError as error:
        return error
    return None


def _check(text: str) -> None:
    source = decode("f.yaml", text.encode())
    error = _refusal([source], []) if isinstance(source, Source) else _refusal([], [source])
    if error:
        assert error.faults
        assert all(fault.code and fault.message for fault in error.faults)
        assert all(human(fault, error.texts) for fault in error.faults)
        assert not any("\n" in as_github(fault) for fault in error.faults)
        assert as_json(error.faults)


@settings(deadline=None)
@given(st.text())
@example("\x85")
@example("\u2028a: b: c")
@example("a:\r b: c: d")
def test_any_text(text: str) -> None:
    _check(text)


@settings(deadline=None)
@given(st.binary())
@example(b"\xff\xfe")
@example(b"\xef\xbb\xbf\xef\xbb\xbfversion: 1")
def test_any_octets(octets: bytes) -> None:
    source = decode("f.yaml", octets)
    error = _refusal([source], []) if isinstance(source, Source) else _refusal([], [source])
    assert error is None or error.faults


@settings(deadline=None)
@given(st.lists(_TOKENS, max_size=12).map("".join))
def test_any_yaml_tokens(text: str) -> None:
    _check(text)


@st.composite
def _mutated(draw: st.DrawFn) -> str:
    """The example with a few characters, words or lines changed, dropped or doubled."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        index = draw(st.integers(0, len(lines) - 1))
        line = lines[index]
        column = draw(st.integers(0, len(line)))
        kind = draw(st.sampled_from(["insert", "cut", "drop", "double", "swap", "indent"]))
        if kind == "insert":
            lines[index] = line[:column] + draw(_TOKENS) + line[column:]
        elif kind == "cut":
            lines[index] = line[:column] + line[column + draw(st.integers(1, 9)) :]
        elif kind == "drop" and len(lines) > 1:
            del lines[index]
        elif kind == "double":
            lines.insert(index, line)
        elif kind == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[index], lines[other] = lines[other], lines[index]
        else:
            lines[index] = " " * draw(st.integers(1, 4)) + line
    return "\n".join(lines)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_mutated())
@example(GOOD.replace("alice: {country", "alice: {contry"))
def test_any_change_of_the_example(text: str) -> None:
    _check(text)


_SCALARS = st.sampled_from(["", "x", "1", "-1", "true", "NO", "*", "@", "192.0.2.1", "example.com", "A", "é", "web"])


def _values(depth: int) -> st.SearchStrategy[str]:
    """YAML in flow style, of any shape."""
    if depth == 0:
        return _SCALARS.map(lambda text: f'"{text}"')
    inner = _values(depth - 1)
    return (
        inner
        | st.lists(inner, max_size=2).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from(["name", "type", "country", "zz"]), inner, max_size=2).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"
        )
    )


_KEYS = sorted({line.strip(" -").split(":")[0] for line in LINES if ":" in line and not line.startswith("#")})
_SHAPES = [
    "{key}: {value}",
    "hosted_zones: [{{name: example.com, {key}: {value}}}]",
    "hosted_zones: [{{name: example.com, record_sets: [{{name: x, type: A, ttl: 60, {key}: {value}}}]}}]",
    "health_checks: [{{id: web, type: HTTP, ip_address: 192.0.2.9, {key}: {value}}}]",
    "dnsemu: {{{key}: {value}}}",
    "dnsemu: {{options: {{{key}: {value}}}}}",
    "dnsemu: {{locations: [{{cidr: 192.0.2.0/24, country: DE, {key}: {value}}}]}}",
    "cidr_collections: [{{id: c, name: c, {key}: {value}}}]",
]


@given(st.sampled_from(_SHAPES), st.sampled_from([*_KEYS, "members", "latency", "zz"]), _values(2))
@settings(max_examples=300, deadline=None)
def test_any_shape_at_any_key(shape: str, key: str, value: str) -> None:
    if not any(character in key for character in "{}[],"):
        _check(shape.format(key=key, value=value))
