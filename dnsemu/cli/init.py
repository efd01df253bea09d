"""`dnsemu init`"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from shlex import quote

import click

from dnsemu.cli.output import Exit, fail
from dnsemu.cli.serve import DEFAULT_PATH
from dnsemu.config import json_schema

TEMPLATES = {"basic": "example.com.yaml", "all-policies": "all-policies.yaml"}
"""Template → the file it becomes."""
_SCHEMA = "dnsemu.schema.json"


@click.command()
@click.argument("folder", required=False, default=DEFAULT_PATH, type=click.Path(path_type=Path, file_okay=False))
@click.option("--template", type=click.Choice(list(TEMPLATES)), default="basic", show_default=True)
def command(folder: Path, template: str) -> None:
    """Write a zone file to begin with into FOLDER (default: zones/), and the schema for editors beside it.

    Files that are there already stay as they are.
    """
    text = (files("dnsemu") / "data" / "templates" / f"{template}.yaml").read_text("utf-8")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / TEMPLATES[template], text)
        _write(folder / _SCHEMA, json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        fail(f"{error.filename} can not be written: {error.strerror}", Exit.UNREADABLE)
    click.echo(f"now: dnsemu serve {quote(str(folder))}", err=True)


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        click.echo(f"kept    {file}")
    else:
        click.echo(f"written {file}")
