"""As much of curl as a check from inside a container needs."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lab.server import Response
from lab.wordpress import Visit

WITH_VALUE = {
    "-o": "output",
    "--output": "output",
    "-w": "write_out",
    "--write-out": "write_out",
    "-H": "header",
    "--header": "header",
    "-m": "",
    "--max-time": "",
    "--connect-timeout": "",
    "--noproxy": "",
    "-A": "",
    "--user-agent": "",
}
PLAIN = {
    "-s": "",
    "--silent": "",
    "-S": "",
    "--show-error": "",
    "-i": "include",
    "--include": "include",
    "-I": "head",
    "--head": "head",
    "-f": "fail",
    "--fail": "fail",
}

Fetch = Callable[[Visit], Response | None]


class _Usage(ValueError):
    pass


@dataclass
class _Options:
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    output: str = ""
    write_out: str = ""
    flags: set[str] = field(default_factory=set)


def run(arguments: Sequence[str], fetch: Fetch) -> tuple[int, bytes, bytes]:
    """curl's exit code, stdout and stderr. ``fetch`` answers for the local web server, None when nothing
    listens; only http://127.0.0.1 and http://localhost are there."""
    try:
        options = _parse(arguments)
    except _Usage as error:
        return 2, b"", f"curl: {error}\n".encode()
    parts = urlsplit(options.url if "//" in options.url else f"http://{options.url}")
    local = (
        parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost") and parts.port in (None, 80)
    )
    host = options.headers.get("host", parts.hostname or "")
    visit = Visit(host, parts.path or "/", options.headers, query=parts.query)
    response = fetch(visit) if local else None
    if response is None:
        where = f"{parts.hostname} port {parts.port or 80}"
        error = f"curl: (7) Failed to connect to {where} after 0 ms: Couldn't connect to server\n"
        return 7, _written(options.write_out, None, "").encode(), error.encode()
    failed = "fail" in options.flags and response.status >= 400
    shown = b"" if options.output or failed else _shown(response, options)
    text = _written(options.write_out, response, f"http://{host}")
    if failed:
        return 22, text.encode(), f"curl: (22) The requested URL returned error: {response.status}\n".encode()
    return 0, shown + text.encode(), b""


def _parse(arguments: Sequence[str]) -> _Options:
    options = _Options()
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if re.fullmatch(r"-[A-Za-z].+", word):
            # -sS is -s -S, and -o/dev/null is -o /dev/null.
            letter = word[:2]
            rest.insert(0, word[2:] if letter in WITH_VALUE else f"-{word[2:]}")
            word = letter
        if word in WITH_VALUE:
            if not rest:
                raise _Usage(f"option {word}: requires parameter")
            _set(options, WITH_VALUE[word], rest.pop(0))
        elif word in PLAIN:
            options.flags.add(PLAIN[word])
        elif word.startswith("-"):
            raise _Usage(f"option {word}: is unknown")
        else:
            options.url = word
    if not options.url:
        raise _Usage("no URL specified")
    return options


def _set(options: _Options, name: str, value: str) -> None:
    if name == "header":
        key, _, text = value.partition(":")
        options.headers[key.strip().lower()] = text.strip()
    elif name:
        setattr(options, name, value)


def _shown(response: Response, options: _Options) -> bytes:
    head = f"HTTP/1.1 {response.status} {response.reason or ''}".rstrip() + "\r\n"
    for name, value in {"Content-Type": response.content_type, **response.headers}.items():
        head += f"{name}: {value}\r\n"
    if "head" in options.flags:
        return head.encode() + b"\r\n"
    return (head.encode() + b"\r\n" if "include" in options.flags else b"") + response.payload()


def _written(format: str, response: Response | None, base: str) -> str:
    location = response.headers.get("Location", "") if response else ""
    if location.startswith("/"):
        location = base + location
    status = f"{response.status:03d}" if response else "000"
    values = {"http_code": status, "response_code": status, "redirect_url": location}
    text = re.sub(r"%\{(\w+)\}", lambda found: values.get(found[1], ""), format)
    return text.replace("\\n", "\n").replace("\\t", "\t")
