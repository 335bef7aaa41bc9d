"""An operator in tests: reads the pages that are there, follows their links, presses their buttons."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

from django.test import Client

from tests.staff.base import make_staff

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
UNSEEN = {"script", "style", "template", "title"}


@dataclass
class Node:
    """An element of a page."""

    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    inside: list["Node | str"] = field(default_factory=list)

    def all(self, *tags: str) -> Iterator["Node"]:
        """The elements of these names in it, in their order."""
        for one in self.inside:
            if isinstance(one, Node):
                if one.tag in tags:
                    yield one
                yield from one.all(*tags)

    def by_id(self, id: str) -> "Node":
        """The one with this id."""
        return next(one for one in self.all("section", "div", "main") if one.attributes.get("id") == id)

    @property
    def text(self) -> str:
        """What can be read in it, in one line."""
        return " ".join(" ".join(self._words()).split())

    def _words(self) -> Iterator[str]:
        if self.tag in UNSEEN or self.attributes.get("aria-hidden") == "true":
            return
        for one in self.inside:
            if isinstance(one, str):
                yield one
            else:
                yield from one._words()


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs))
        self.open[-1].inside.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        names = [node.tag for node in self.open]
        if tag in names:
            del self.open[len(names) - 1 - names[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def read(html: str) -> Node:
    """A page as a tree."""
    builder = _Builder()
    builder.feed(html)
    return builder.open[0]


class Operator:
    """A browser without pictures. `clicks`: how many so far; opening the board is none."""

    def __init__(self) -> None:
        self.client = Client()
        self.client.force_login(make_staff("olga", "operator"))
        self.clicks = 0
        self.at = ""
        self.page = Node("")

    def open(self, url: str) -> None:
        """A page by its address."""
        self._show(self.client.get(url, follow=True))

    def _show(self, answer) -> None:
        assert answer.status_code == 200, (answer.status_code, answer.content[:500])
        self.at, self.page = answer.request["PATH_INFO"], read(answer.content.decode())

    @property
    def main(self) -> Node:
        """The page without its menus."""
        return self.page.by_id("main")

    def offered(self) -> list[str]:
        """What its links and buttons are called."""
        return [one.text for one in self.main.all("a", "button")]

    def follow(self, link: Node) -> None:
        """Click on a link."""
        self.clicks += 1
        self.open(urljoin(self.at, link.attributes["href"]))

    def click(self, name: str) -> None:
        """Click on the first link of that name."""
        self.follow(next(one for one in self.main.all("a") if one.text == name))

    def submit(self, name: str, **typed: str) -> None:
        """Press a form's button with what the form is filled in with, and what is typed into it."""
        form = next(one for one in self.main.all("form") if name in [b.text for b in one.all("button")])
        self.clicks += 1
        url = urljoin(self.at, form.attributes.get("action") or "")
        self._show(self.client.post(url, {**dict(_filled_in(form)), **typed}, follow=True))


def _filled_in(form: Node) -> Iterator[tuple[str, str]]:
    for one in form.all("input", "select", "textarea"):
        name = one.attributes.get("name")
        if not name:
            continue
        if one.tag == "select":
            options = list(one.all("option"))
            chosen = next((o for o in options if "selected" in o.attributes), options[0])
            yield name, chosen.attributes.get("value") or ""
        elif one.tag == "textarea":
            yield name, one.text
        else:
            yield name, one.attributes.get("value") or ""
