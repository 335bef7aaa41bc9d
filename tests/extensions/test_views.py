"""What the views show: only what a shipped build of Paymenter's theme has, escaped, and in every language."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import TestCase

from tests.extensions import php

HERE = Path(__file__).parent
CLASSES = re.compile(r"""(?<![\w:-])(?:class|divClass)="([^"]*)\"""", re.DOTALL)
# What stands between the classes: echoes, and conditions with one level of brackets.
BLADE = re.compile(r"\{\{.*?\}\}|@(?:if|elseif)\s*\((?:[^()]|\([^()]*\))*\)|@(?:else|endif)\b", re.DOTALL)
ECHOED = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
KEY = re.compile(r"""['"][a-z]+::([a-z]+\.[^'"]*)['"](\s*\.)?""")


def words(file: str) -> set[str]:
    """Of Paymenter v1.5.8: Tailwind classes in the Blade files of the default theme and the core extensions,
    and components of the theme. A shipped build has no others."""
    return set((HERE / file).read_text().split())


def flat(texts: dict[str, Any], before: str = "") -> dict[str, str]:
    """Texts by dotted key."""
    found: dict[str, str] = {}
    for key, text in texts.items():
        found |= flat(text, f"{before}{key}.") if isinstance(text, dict) else {f"{before}{key}": text}
    return found


def languages(extension: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Language, name of the file, and its texts."""
    for path in sorted((php.ROOT / extension / "resources" / "lang").glob("*/*.php")):
        texts = php.array_after(path.read_text(), "return ")
        assert isinstance(texts, dict), path
        yield path.parent.name, path.stem, flat(texts)


class ViewTests(TestCase):
    def setUp(self) -> None:
        self.views: dict[str, str] = {}
        for extension in php.EXTENSIONS:
            found = {f"{extension}/{path.name}": path.read_text() for path in php.views(extension)}
            self.assertTrue(found, extension)
            self.views |= found

    def test_every_class_is_in_a_shipped_build(self) -> None:
        known = words("theme-classes.txt")
        seen = set()
        for name, text in self.views.items():
            used = self.classes(text)
            with self.subTest(view=name):
                self.assertEqual(used - known, set())
            seen |= used
        self.assertGreater(len(seen), 30)

    def classes(self, text: str) -> set[str]:
        """The Tailwind classes of a view: in attributes, in what is echoed there, and in @class([…])."""
        found = set()
        for value in CLASSES.findall(text):
            found |= set(BLADE.sub(" ", value).split())
            for echoed in ECHOED.findall(value):
                found |= self.quoted(echoed)
        for listed in re.findall(r"@class\(\[(.*?)\]\)", text, re.DOTALL):
            found |= self.quoted(listed)
        return found

    def quoted(self, code: str) -> set[str]:
        """Words in the strings of PHP code that look like classes; keys and statuses do not."""
        words = {word for part in re.findall(r"'([^']*)'", code) for word in part.split()}
        return {word for word in words if "-" in word and "." not in word}

    def test_every_component_is_the_themes_or_our_own(self) -> None:
        known = words("theme-components.txt")
        for name, text in self.views.items():
            with self.subTest(view=name):
                self.assertEqual(set(re.findall(r"<x-([\w.-]+)", text)) - known - {"slot"}, set())

    def test_nothing_is_shown_unescaped(self) -> None:
        for name, text in self.views.items():
            with self.subTest(view=name):
                self.assertNotIn("{!!", text)


class LanguageTests(TestCase):
    def test_all_languages_say_the_same(self) -> None:
        for extension in php.EXTENSIONS:
            by_language: dict[str, dict[str, str]] = {}
            for language, file, texts in languages(extension):
                by_language.setdefault(language, {}).update(
                    {f"{file}.{key}": text for key, text in texts.items()}
                )
            with self.subTest(extension=extension):
                self.assertEqual(set(by_language), {"en", "de"})
                english, german = by_language["en"], by_language["de"]
                self.assertEqual(set(english), set(german))
                for key, text in english.items():
                    self.assertTrue(text.strip() and german[key].strip(), key)
                    self.assertEqual(self.parts(text), self.parts(german[key]), key)

    def parts(self, text: str) -> list[str]:
        """What is filled in."""
        return sorted(set(re.findall(r":[a-z]\w+", text)))

    def test_every_text_that_is_asked_for_exists_and_none_is_left_over(self) -> None:
        for extension in php.EXTENSIONS:
            known = {f"{file}.{key}" for language, file, texts in languages(extension) for key in texts}
            used, begun = self.asked(extension)
            with self.subTest(extension=extension):
                self.assertTrue(used)
                self.assertLessEqual(used, known)
                for beginning in begun:
                    self.assertTrue(any(key.startswith(beginning) for key in known), beginning)
                left = {key for key in known - used if not key.startswith(tuple(begun))}
                self.assertEqual(left, set())

    def asked(self, extension: str) -> tuple[set[str], set[str]]:
        """Keys as `file.key`, and beginnings of keys to which something is added."""
        used, begun = set(), set()
        for path in php.sources(extension):
            if "lang" in path.parts:
                continue
            for key, more in KEY.findall(path.read_text()):
                fixed = re.split(r"[{$]", key)[0]
                (begun if more or fixed != key else used).add(fixed)
        return used, begun
