"""The nginx inside NPM: config files on disk, the test of them all, and what the process has loaded."""

import os
import re
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from lab.npm.directives import Directive, Flaw, away, parse
from lab.npm.schema import internal_error
from lab.store import Store

Config = dict[str, Any]
"""One config file: ``server_names``; for a host also ``forward_scheme, forward_host, forward_port,
certificate`` (id whose files are loaded, 0: none), ``certificate_names, ssl_forced, trust_forwarded_proto,
head`` (bytes of an upstream's head that fit), ``away`` (see ``away_of``) and ``flaw`` (what nginx will say
about it, or None); for a pending HTTP-01 challenge ``challenge`` true."""

PAGE = 4096
"""nginx's default ``proxy_buffer_size``, one memory page (ngx_http_proxy_module.c: ngx_pagesize)."""

# Directives that appear in practice in a host's advanced config; nginx refuses a word it does not know.
_DIRECTIVE = re.compile(
    r"(?:proxy|client|fastcgi|gzip|ssl|limit|auth|open_file|sub|uwsgi|real_ip|keepalive)_\w+"
    r"|(?:send|output|log|http2|http3)_\w+"
    r"|location|if|set|default_type|return|rewrite|add_header|more_set_headers|expires|deny|allow|root|alias|index|include"
    r"|access_log|error_log|error_page|try_files|internal|break|satisfy|charset|etag|gzip|brotli\w*"
    r"|set_real_ip_from|resolver\w*|sendfile|tcp_\w+|underscores_in_headers|large_client_header_buffers"
    r"|server_tokens|types|mirror"
)


class Nginx:
    """Files and running state by file name (``proxy_host/14.conf``). Use it inside the lab's lock."""

    def __init__(self, store: Store, certificate_files: Callable[[int], bool]) -> None:
        self._store = store
        self._certificate_files = certificate_files
        self.files: dict[str, Config] = store.load("npm_file")
        self.running: dict[str, Config] = store.load("npm_running")
        self._index_names()

    def write(self, name: str, config: Config) -> None:
        """Put a config file on disk; the running nginx knows nothing of it yet."""
        self.files[name] = config
        self._store.save("npm_file", name, config)

    def remove(self, name: str) -> None:
        """Take a config file away; absent is fine."""
        if self.files.pop(name, None) is not None:
            self._store.delete("npm_file", name)

    def test(self) -> str | None:
        """What ``nginx -t`` prints about the whole of the files, or None when all is well."""
        for name, config in self.files.items():
            flaw = config.get("flaw") or self._missing_certificate(config)
            if config.get("challenge") and not config["server_names"]:
                flaw = 'invalid number of arguments in "server_name" directive'
            if flaw:
                stamp = time.strftime("%Y/%m/%d %H:%M:%S")
                process = f"{os.getpid()}#{os.getpid()}"
                return (
                    f"{stamp} [emerg] {process}: {flaw} in /data/nginx/{name}:37\n"
                    "nginx: configuration file /etc/nginx/nginx.conf test failed\n"
                )
        return None

    def reload(self) -> None:
        """Load the files. Raises Refusal 500 and goes on with the old ones when the test fails."""
        if self.test():
            raise internal_error()
        for name in self.running.keys() - self.files.keys():
            self._store.delete("npm_running", name)
        for name, config in self.files.items():
            if self.running.get(name) is not config:
                self._store.save("npm_running", name, config)
        self.running = dict(self.files)
        self._index_names()

    def route(self, host: str, tls: bool = False) -> Config | None:
        """The loaded config that serves ``host`` on port 80 or, with ``tls``, 443: exact name first, then the
        longest wildcard. None: the default server. A file without certificate does not listen on 443
        (_listen.conf)."""
        by_name = self._by_name_tls if tls else self._by_name
        name = host.lower().rstrip(".")
        labels = name.split(".")
        names = [name, *("*." + ".".join(labels[i:]) for i in range(1, len(labels)))]
        return next((by_name[name] for name in names if name in by_name), None)

    def _missing_certificate(self, config: Config) -> str | None:
        certificate = config.get("certificate", 0)
        if not certificate or self._certificate_files(certificate):
            return None
        path = f"/etc/letsencrypt/live/npm-{certificate}/fullchain.pem"
        return (
            f'cannot load certificate "{path}": BIO_new_file() failed (SSL: error:80000002:system library::'
            f"No such file or directory:calling fopen({path}, r) error:10000080:BIO routines::no such file)"
        )

    def _index_names(self) -> None:
        self._by_name: dict[str, Config] = {}
        self._by_name_tls: dict[str, Config] = {}
        # nginx warns of a name that appears twice and serves the first file that has it.
        for _, config in sorted(self.running.items(), key=lambda item: _file_order(item[0])):
            for name in config["server_names"]:
                self._by_name.setdefault(name.lower(), config)
                if config.get("certificate"):
                    self._by_name_tls.setdefault(name.lower(), config)


def _file_order(name: str) -> tuple[bool, str]:
    # nginx.conf includes proxy_host/*.conf before temp/*.conf, each in the order of the file names.
    return (name.startswith("temp/"), name)


def head_limit(advanced_config: str) -> int:
    """Bytes of an upstream's head that a host lets through: its ``proxy_buffer_size``."""
    for words in (directive.words for directive in _read(advanced_config)):
        if words[0] == "proxy_buffer_size" and (found := re.fullmatch(r"(\d+)([kKmM]?)", words[-1])):
            return int(found[1]) * {"": 1, "k": 1024, "m": 1024**2}[found[2].lower()]
    return PAGE


def away_of(advanced_config: str) -> Config | None:
    """``status``, ``body`` and ``headers`` that a host answers with where its upstream gives no answer; None:
    nginx's own page."""
    found = away(_read(advanced_config))
    return asdict(found) if found else None


def _read(advanced_config: str) -> list[Directive]:
    """Nothing of a text that nginx refuses."""
    try:
        return parse(advanced_config)
    except Flaw:
        return []


def flaw_of(forward_host: str, advanced_config: str) -> str | None:
    """What nginx will refuse about a host's free-text fields, in nginx's words; None when well-formed."""
    if '"' in forward_host or "\\" in forward_host:
        rest = forward_host.partition('"')[2] or forward_host
        return f'unexpected "{(rest or ";")[:1]}"'
    if "$" in forward_host:
        return f'unknown "{forward_host.partition("$")[2]}" variable'
    try:
        return _unknown(parse(advanced_config))
    except Flaw as flaw:
        return str(flaw)


def _unknown(directives: list[Directive]) -> str | None:
    """The first name that nginx does not know, in its words."""
    for directive in directives:
        name = directive.words[0]
        if not _DIRECTIVE.fullmatch(name):
            return f'unknown directive "{name}"'
        # What a block of `types` holds are no directives.
        if name != "types" and (flaw := _unknown(directive.block or [])):
            return flaw
    return None
