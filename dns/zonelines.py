"""The lines of a zone file (RFC 1035, 5.1): words and strings, what parentheses hold together, without
comments. What a line means is not known here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_PIECES = 200_000  # words, blanks and comments that are looked at: half a second
LONGEST_LINE = 64 * 1024  # characters, with all that stands in parentheses

_PIECE = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"|[()]|;[^\n]*|\n|[^\S\n]+|(?:[^\s"();\\]|\\[^\n])+|.')


@dataclass
class Logical:
    """A line with all that its parentheses hold. `number`: where it begins, from 1. `words`: strings with
    their quotes, all with their escapes. `inherits`: it begins with a blank, and so has the name of the one
    before. `broken`: why it cannot be read."""

    number: int
    words: list[str] = field(default_factory=list)
    inherits: bool = False
    broken: str = ""


class _Scanner:
    def __init__(self) -> None:
        self._number, self._depth, self._size = 1, 0, 0
        self.line = Logical(1)

    def take(self, piece: str) -> Logical | None:
        """The line that this piece ends, if it says something."""
        self._size += len(piece)
        if self._size > LONGEST_LINE:
            self._break("The line is too long, or a parenthesis is never closed.")
            self._depth = 0
        if piece == "\n":
            self._number += 1
            return None if self._depth else self._ended()
        if piece in "()":
            self._depth = max(0, self._depth + (1 if piece == "(" else -1))
        elif piece.isspace():
            begun = self.line.words or self._depth or self.line.broken
            self.line.inherits = self.line.inherits or not begun
        elif piece in ('"', "\\"):
            self._break("A quotation mark is never closed, or a backslash stands at the end.")
        elif not piece.startswith(";") and not self.line.broken:
            self.line.words.append(piece)
        return None

    def end(self, why: str = "") -> Logical | None:
        """The last line. `why`: nothing more is read."""
        if why or self._depth:
            self._break(why or "A parenthesis is never closed.")
        return self._ended()

    def _break(self, why: str) -> None:
        self.line.broken = self.line.broken or why

    def _ended(self) -> Logical | None:
        line, self.line, self._size = self.line, Logical(self._number), 0
        return line if line.words or line.broken else None


def logical(text: str) -> Iterator[Logical]:
    """The lines of a text that say something."""
    scanner = _Scanner()
    for count, found in enumerate(_PIECE.finditer(text)):
        if count >= MOST_PIECES:
            if line := scanner.end("The file is too long: what follows was not read."):
                yield line
            return
        if line := scanner.take(found[0]):
            yield line
    if line := scanner.end():
        yield line
