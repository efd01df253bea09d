"""Tables for a terminal, or as Markdown for a README."""

from collections.abc import Sequence


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, markdown: bool) -> str:
    """The rows below their head: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [_line(row, widths, markdown=markdown) for row in [head, *rows]]
    if markdown:
        rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
        lines.insert(1, "| " + " | ".join(rule) + " |")
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int], *, markdown: bool) -> str:
    others = zip(row[1:], widths[1:], strict=True)
    cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in others)]
    return "| " + " | ".join(cells) + " |" if markdown else "  ".join(cells).rstrip()


def title(text: str, *, markdown: bool) -> str:
    """A heading over a table."""
    return f"\n### {text}\n" if markdown else f"\n{text}"


def number(value: float | None, digits: int = 0, suffix: str = "") -> str:
    """The value with so many decimals, or a dash for None."""
    return "–" if value is None else f"{value:,.{digits}f}{suffix}"
