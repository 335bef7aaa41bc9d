"""Callers strip tags from what they show, with all that stands between the brackets: no sentence of ours
holds one, wherever in the tree it stands."""

import ast
from collections.abc import Iterator
from pathlib import Path
from unittest import TestCase

from nodepoint.api.errors import SENTENCES, ApiError

ROOT = Path(__file__).parents[2]
APPS = ("nodepoint", "sites", "dns", "support")
SAID = {"error", "sentence", "fact", "title"}  # arguments and attributes that customers read


def text_of(node: ast.AST) -> str | None:
    """The text of a constant, or of an f-string with a word for each value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or "value" for part in node.values)
    return None


def docstrings(tree: ast.AST) -> set[int]:
    """Constants that are statements of their own."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def is_sentence(text: str) -> bool:
    return text[:1].isupper() and text.endswith((".", "?")) and " " in text


def named(node: ast.AST) -> bool:
    """Whether a value is named as something that customers read."""
    if isinstance(node, ast.keyword):
        return node.arg in SAID
    return isinstance(node, ast.Assign) and any(getattr(one, "id", "") in SAID for one in node.targets)


def said(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of everything in a file that may come before a customer: sentences, and what is named as
    one."""
    tree = ast.parse(path.read_text())
    skipped = docstrings(tree)
    for node in ast.walk(tree):
        text = text_of(node.value if named(node) else node)
        if text and id(node) not in skipped and (named(node) or is_sentence(text)):
            yield getattr(node, "lineno", 0), text


def files() -> Iterator[Path]:
    """The product's modules, but for those that talk to staff at a terminal."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if not {"management", "migrations"}.intersection(path.parts):
                yield path


class SentenceTests(TestCase):
    def test_no_sentence_in_the_tree_holds_a_bracket(self) -> None:
        found = [(path, line, text) for path in files() for line, text in said(path)]
        self.assertGreater(len(found), 300, "the search finds too little to be one")
        self.assertEqual([one for one in found if set("<>") & set(one[2])], [])

    def test_no_answer_of_the_api_to_a_status_holds_one(self) -> None:
        self.assertEqual([text for text in SENTENCES.values() if set("<>") & set(text)], [])

    def test_what_was_asked_is_repeated_without_one(self) -> None:
        for kind in (ApiError, *ApiError.__subclasses__()):
            if kind.__init__ is ApiError.__init__:
                self.assertEqual(kind("There is no <b>x</b>.").sentence, "There is no ‹b›x‹/b›.")
