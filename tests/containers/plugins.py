"""Real plugins in a site, and somebody who administers it by its pages as a browser would.

They are nobody's to pass on here: `script/containers --plugins FOLDER` names a folder that has them unpacked,
as wordpress.org has them. Tests of one that is not there are skipped."""

import os
import re
import tarfile
import unittest
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests

from tests.containers import base
from tests.containers.base import WORDPRESS, Container

FOLDER = "NODEPOINT_PLUGINS"  # set by script/containers --plugins
LINK = re.compile(r"""\bhref=["']([^"']*)""")
NONCE = re.compile(r'createNonceMiddleware\( "(\w+)" \)')  # in pages of the editor


def given(name: str) -> Path:
    """The plugin's folder. SkipTest where there is none of that name."""
    folder = os.environ.get(FOLDER)
    if not folder or not Path(folder, name).is_dir():
        raise unittest.SkipTest(f"script/containers --plugins FOLDER, with {name} in it, tries it")
    return Path(folder, name)


def put(container: Container, name: str) -> None:
    """Unpacks a plugin in the site, as its own user; see `given`."""
    archive = base.mirror().files / f"{name}.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(given(name), name)
    try:
        container.shell(
            f"cd {WORDPRESS}/wp-content/plugins; curl -fsS {base.mirror().url}/{archive.name} |"
            " setpriv --reuid www-data --regid www-data --clear-groups tar -x --no-same-owner"
        )
    finally:
        archive.unlink()


class Administrator:
    """Whom a login link has let in."""

    def __init__(self, container: Container, host: str = "") -> None:
        self.container, self.host = container, host or container.site.hostname
        self.session = container.entered()

    def get(self, path: str) -> requests.Response:
        """A page, behind up to five redirects; an address counts from /wp-admin/. AssertionError unless it is
        one."""
        return self._ended(self._visit(self._path(path)), self._path(path))

    def press(self, path: str, button: str, **changes: str) -> requests.Response:
        """Sends the form of a page that has a control of this name, as it stands but for the changes."""
        page = self.get(path)
        forms = [form for form in _Forms.of(page.text) if button in form.controls]
        if not forms:
            raise AssertionError(f"{path} has no {button}: {page.text[:2000]}")
        form = forms[0]
        fields = form.filled() | {button: form.controls[button]} | changes
        to = self._path(urljoin(self._path(path), unescape(form.action)))
        return self._ended(self._visit(to, method="POST", data=fields), to)

    def click(self, path: str, part: str) -> requests.Response:
        """Follows the first link of a page whose address contains `part`."""
        links = [unescape(link) for link in LINK.findall(self.get(path).text)]
        found = next((link for link in links if part in link), None)
        if found is None:
            raise AssertionError(f"{path} has no link with {part}")
        return self.get(urljoin(self._path(path), found))

    def publish(self, name: str) -> None:
        """A post, as the editor does it."""
        nonce = NONCE.search(self.get("post-new.php").text)[1]
        post = {"title": name, "status": "publish"}
        answer = self._visit("/wp-json/wp/v2/posts", method="POST", json=post, headers={"X-WP-Nonce": nonce})
        if answer.status_code != 201:
            raise AssertionError(answer.text)

    def activate(self, plugin: str) -> None:
        """By the list of plugins, which says what went wrong."""
        page = self.click("plugins.php", f"action=activate&plugin={requests.utils.quote(plugin, safe='')}")
        if "fatal error" in page.text:
            raise AssertionError(page.text)

    def deactivate(self, plugin: str) -> None:
        self.click("plugins.php", f"action=deactivate&plugin={requests.utils.quote(plugin, safe='')}")

    def _path(self, address: str) -> str:
        parts = urlsplit(urljoin(f"https://{self.host}/wp-admin/", address))
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def _visit(self, path: str, **more: object) -> requests.Response:
        return self.container.visit(path, host=self.host, session=self.session, timeout=100, **more)

    def _ended(self, answer: requests.Response, path: str) -> requests.Response:
        for _ in range(5):
            if answer.status_code not in (301, 302, 303):
                break
            path = self._path(urljoin(f"https://{self.host}{path}", answer.headers["Location"]))
            answer = self._visit(path)
        if answer.status_code != 200:
            raise AssertionError(f"{path}: {answer.status_code} {answer.text[:2000]}")
        return answer


class _Form:
    def __init__(self, action: str) -> None:
        self.action = action
        self.controls: dict[str, str] = {}
        self.sent: list[tuple[str, str]] = []

    def filled(self) -> dict[str, object]:
        """What a browser sends; of a name that comes more than once a list."""
        fields: dict[str, object] = {}
        for name, value in self.sent:
            known = fields.get(name)
            fields[name] = (
                value if known is None else [*(known if isinstance(known, list) else [known]), value]
            )
        return fields


class _Forms(HTMLParser):
    @classmethod
    def of(cls, page: str) -> list[_Form]:
        reader = cls()
        reader.feed(page)
        return reader.forms

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(_Form(said.get("action", "")))
        elif self.forms and tag in ("input", "button"):
            self._input(said)
        elif self.forms and tag == "textarea" and "name" in said:
            self._area = said["name"]
            self._take(self._area, "")
        elif self.forms and tag == "select" and "name" in said:
            self._select = said["name"]
        elif self._select and tag == "option" and "selected" in said:
            self._take(self._select, said.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area:
            form = self.forms[-1]
            form.sent[-1] = (self._area, form.sent[-1][1] + data)

    def _input(self, said: dict[str, str]) -> None:
        name, kind = said.get("name"), said.get("type", "text")
        if not name or "disabled" in said:
            return
        self.forms[-1].controls.setdefault(name, said.get("value", ""))
        if kind in ("submit", "button", "image", "file") or (
            kind in ("checkbox", "radio") and "checked" not in said
        ):
            return
        self._take(name, said.get("value", "on" if kind == "checkbox" else ""))

    def _take(self, name: str, value: str) -> None:
        self.forms[-1].controls.setdefault(name, value)
        self.forms[-1].sent.append((name, value))
