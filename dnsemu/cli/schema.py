"""`dnsemu schema`"""

from __future__ import annotations

import json

import click

from dnsemu.config import json_schema


@click.command()
def command() -> None:
    """Print the JSON Schema of zone files, for editors and CI."""
    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
