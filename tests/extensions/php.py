"""PHP sources, read without PHP: arrays of literals are data, and the rest is searched as text."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2] / "extensions"
EXTENSIONS = ["Servers/ProxmoxWP", "Servers/SSupport", "Others/DNS"]
TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|\#[^\n]*|/\*.*?\*/)
      | '(?P<text>(?:[^'\\]|\\.)*)'
      | "(?P<plain>[^"\\$]*)"
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<word>true|false|null)\b
      | (?P<constant>(?:\.\.\.)?self::\w+)
      | (?P<sign>\[|\]|,|=>|\.(?=\s*['"]))""",
    re.DOTALL | re.VERBOSE,
)
WORDS = {"true": True, "false": False, "null": None}


def sources(extension: str, *, made: bool = False) -> Iterator[Path]:
    """The PHP files of an extension, views included; the copies in Api/ only when they are asked for."""
    for path in sorted((ROOT / extension).rglob("*.php")):
        if made or path.parent.name != "Api":
            yield path


def views(extension: str) -> Iterator[Path]:
    """Its Blade templates."""
    return (path for path in sources(extension) if path.name.endswith(".blade.php"))


def array_after(text: str, start: str) -> dict[Any, Any] | list[Any] | None:
    """The array literal that follows `start`; None when `start` is not there. It may name, or spread, other
    arrays of the same class. ValueError where something else in it is no literal."""
    at = text.find(start)
    return None if at < 0 else _Reader(text, at + len(start)).array()


class _Reader:
    """Reads one array literal: strings without variables, numbers, true, false, null, arrays."""

    def __init__(self, text: str, at: int) -> None:
        self.text, self.at = text, at
        self.take("[")

    def next(self) -> tuple[str, str]:
        """Kind and text of the next token."""
        while True:
            found = TOKEN.match(self.text, self.at)
            if found is None:
                raise ValueError(f"no literal: {self.text[self.at : self.at + 40]!r}")
            self.at = found.end()
            if found.lastgroup and found.lastgroup != "skip":
                return found.lastgroup, found[found.lastgroup]

    def take(self, sign: str) -> None:
        """Pass over a sign that has to stand here."""
        if self.next() != ("sign", sign):
            raise ValueError(f"no {sign} before {self.text[self.at : self.at + 40]!r}")

    def passes(self, sign: str) -> bool:
        """Pass over a sign if it stands here."""
        before = self.at
        if self.next() == ("sign", sign):
            return True
        self.at = before
        return False

    def array(self) -> dict[Any, Any] | list[Any]:
        """From behind the opening bracket to behind the closing one; a list when no key is written."""
        items: dict[Any, Any] = {}
        plain = True
        while (token := self.next()) != ("sign", "]"):
            if token == ("sign", ","):
                continue
            if token[1].startswith("...self::"):
                for value in self.value(token):
                    items[len(items)] = value
                continue
            value = self.value(token)
            if self.passes("=>"):
                plain = False
                items[value] = self.value(self.next())
            else:
                items[len(items)] = value
        return list(items.values()) if plain else items

    def value(self, token: tuple[str, str]) -> Any:
        """What a token begins."""
        kind, text = token
        if token == ("sign", "["):
            return self.array()
        if kind == "constant":
            found = array_after(self.text, f"const {text.rpartition('::')[2]} = ")
            if found is None:
                raise ValueError(f"no {text}")
            return found
        if kind in ("text", "plain"):
            if kind == "text":
                text = re.sub(r"\\([\\'])", r"\1", text)
            return text + self.value(self.next()) if self.passes(".") else text
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind == "word":
            return WORDS[text]
        raise ValueError(f"unexpected {text}")
