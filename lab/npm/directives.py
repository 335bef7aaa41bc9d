"""nginx's configuration language, as far as a host's free text goes: words, blocks, and what is answered for
an upstream that cannot be reached.

As `ngx_conf_read_token` reads it (src/core/ngx_conf_file.c; tried on nginx 1.22): a quoted word may hold
anything, with a backslash before a backslash and a quotation mark; `#` begins a comment where a word could
begin; a word has less than 4096 bytes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

LONGEST = 4095  # bytes of a word, NGX_CONF_BUFFER less the end
_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<mark>[;{}])|"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'"""
    r"""|(?P<plain>(?:\$\{[^}]*\}|[^\s;{}"'\\]|\\.)(?:\$\{[^}]*\}|[^\s;{}\\]|\\.)*)""",
    re.DOTALL,
)
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")


class Flaw(Exception):
    """What nginx refuses, in its words."""


@dataclass
class Directive:
    """Its words, the name first, and what stands in its block; None where it has none."""

    words: list[str]
    block: "list[Directive] | None" = None


@dataclass(frozen=True)
class Away:
    """What a host answers itself where its upstream gives none: the status, the body, and more headers."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)


def parse(text: str) -> list[Directive]:
    """The directives of a text. Raises Flaw."""
    found, rest = _block(list(_tokens(text)), 0)
    if rest >= 0:
        raise Flaw('unexpected "}"')
    return found


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Each word, and whether it is one of the marks ``; { }``."""
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise Flaw('unexpected end of file, expecting ";" or "}"')
        at = token.end()
        kind = token.lastgroup
        if kind is None:
            continue
        word = token[kind] if kind in ("mark", "plain") else re.sub(r"\\([\"'\\])", r"\1", token[kind])
        if len(word.encode()) > LONGEST:
            raise Flaw(f'too long parameter "{word[:10]}..." started')
        yield word, kind == "mark"


def _block(tokens: list[tuple[str, bool]], at: int) -> tuple[list[Directive], int]:
    """The directives from a token on, and where their block ends: behind its brace, or -1 at the end."""
    found: list[Directive] = []
    words: list[str] = []
    while at < len(tokens):
        word, is_mark = tokens[at]
        at += 1
        if not is_mark:
            words.append(word)
            continue
        if word == "}":
            if words:
                raise Flaw('unexpected "}"')
            return found, at
        if not words:
            raise Flaw(f'unexpected "{word}"')
        block = None
        if word == "{":
            block, at = _block(tokens, at)
            if at < 0:
                raise Flaw('unexpected end of file, expecting "}"')
        found.append(Directive(words, block))
        words = []
    if words:
        raise Flaw(f'directive "{words[0]}" is not terminated by ";"')
    return found, -1


def away(directives: list[Directive]) -> Away | None:
    """What ``error_page 502 … =STATUS @name`` and the named location say; None where there is none of it."""
    for page in directives:
        if page.words[0] == "error_page" and "502" in page.words[1:-1]:
            location = next((one for one in directives if one.words == ["location", page.words[-1]]), None)
            return _answer(location.block or [], page.words) if location else None
    return None


def _answer(block: list[Directive], page: list[str]) -> Away:
    values: dict[str, str] = {}
    headers: dict[str, str] = {}
    status, body = 200, ""
    for directive in block:
        name, *rest = directive.words
        match name:
            case "set":
                values[rest[0].removeprefix("$")] = _filled(rest[1], values)
            case "default_type":
                headers["Content-Type"] = rest[0]
            case "add_header" if "always" in rest:
                headers[rest[0]] = _filled(rest[1], values)
            case "return":
                status, body = int(rest[0]), _filled(rest[1], values) if len(rest) > 1 else ""
    overruled = next((word for word in page if word.startswith("=")), "")
    return Away(int(overruled[1:]) if len(overruled) > 1 else status, body, headers)


def _filled(text: str, values: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda found: values.get(found[1], ""), text)
