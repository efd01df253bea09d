"""What a conversion has to say: each loss and each invention, a line each."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What became of something, in the order in which notes are told."""

    INCOMPLETE = "incomplete"
    LEFT_OUT = "left out"
    CHANGED = "changed"
    MADE_UP = "made up"


class Note(NamedTuple):
    """Something that was not carried over as it was: what it is about, and what became of it."""

    kind: Kind
    subject: str
    text: str

    def __str__(self) -> str:
        return printable(f"{self.kind.value}: {self.subject}: {self.text}")


class UnusableInput(Exception):
    """Files that can not be converted: every reason, each with its file."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = [printable(reason) for reason in reasons]
        super().__init__("\n".join(self.reasons))


def printable(text: str) -> str:
    """What files hold may be anything, and what goes to a terminal, or into a comment, may not."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def counted(number: int, word: str) -> str:
    """`1 record set`, `2 record sets`."""
    return f"{number:,} {word}{'s' if number != 1 else ''}"
