"""E-mails to customers: plain and HTML say the same, in every language, whatever stands in the values."""

import gettext
import re
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import engines
from django.test import SimpleTestCase, override_settings
from django.utils.translation.template import templatize

from nodepoint.notices import checks, letters
from nodepoint.notices.letters import Mail, Rendered, Unreadable
from nodepoint.notices.models import Language, Preferences
from tests.nodepoint.test_pages import command

FOLDER = settings.BASE_DIR / "templates" / "mails"
CATALOGUE = settings.BASE_DIR / "nodepoint" / "locale" / "de" / "LC_MESSAGES"
MESSAGE = re.compile(r"\bgettext\(\s*u?(?P<text>\"\"\".*?\"\"\"|'.*?(?<!\\)'|\".*?(?<!\\)\")\)", re.DOTALL)
HOSTILE = (
    "<script>alert(1)</script>",
    "</p><img src=//evil.example/x onerror=alert(1)>",
    "a\r\nBcc: all@example.com",
    "x\n\n  [Log in] https://evil.example/",
    "{{ settings.SECRET_KEY }}{% load x %}",
    "\u202egnp.exe\u2066 \x00\x1b[31m",
    "مرحبا שלום 你好 Ελληνικά " * 12,
    "w" * 250,
    "%(name)s %s {0}",
)
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """The text, the links and the tags of a page; `balanced`: every tag is closed in its order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.words: list[str] = []
        self.open: list[str] = []
        self.balanced = True
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "background")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.balanced &= bool(self.open) and self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and "title" not in self.open:
            self.words += data.split()


def made(mail: Mail, language: str = "en", **values: str) -> Rendered:
    """The e-mail of a kind, from its sample but for these values."""
    preferences = Preferences(portal_url="https://my.example.com/", contact="help@example.com")
    return letters.render(mail.template, {**mail.sample, **values}, language, preferences)


class LettersTests(SimpleTestCase):
    def test_plain_and_html_say_the_same_and_load_nothing(self) -> None:
        self.assertGreater(len(letters.mails()), 8)
        for mail in letters.mails():
            for language in Language.values:
                with self.subTest(mail=mail.kind, language=language):
                    found = made(mail, language)
                    page = Page(found.html)
                    text = [word for word in found.text.split() if word != "--"]
                    labelled = {word for word in text if "action=rp" in word}  # a button in HTML
                    said = set(page.words)
                    self.assertEqual([word for word in text if word not in said | labelled], [])
                    self.assertLessEqual(labelled, set(page.links))
                    self.assertTrue(page.balanced and not page.open)
                    self.assertFalse(page.tags & {"img", "script", "link", "iframe", "form"})
                    for link in page.links:
                        self.assertRegex(link, r"^(https://|mailto:)")
                    self.assertNotIn("url(", found.html)
                    self.assertIn(f'<html lang="{language}">', found.html)
                    self.assertLess(max(len(word) for word in found.subject.split()), 60)
                    prose = [line for line in found.text.splitlines() if not line.startswith("  ")]
                    self.assertLessEqual(max(map(len, prose)), letters.WIDTH)

    def test_no_value_adds_a_header_a_paragraph_a_tag_or_a_link(self) -> None:
        for mail in letters.mails():
            usual = made(mail)
            tags, links = Page(usual.html).tags, len(Page(usual.html).links)
            for said in HOSTILE:
                values = {name: said for name, value in mail.sample.items() if "://" not in value}
                with self.subTest(mail=mail.kind, said=said):
                    found = made(mail, "de", **values)
                    page = Page(found.html)
                    self.assertLessEqual(page.tags, tags)
                    self.assertLessEqual(len(page.links), links)  # one that is none any more is a line
                    self.assertFalse([one for one in page.links if one.startswith("https://evil")])
                    self.assertTrue(page.balanced)
                    self.assertNotIn("\u202e", found.text + found.html)
                    message = EmailMultiAlternatives(found.subject, found.text, to=["a@example.com"])
                    message.attach_alternative(found.html, "text/html")
                    read = message_from_bytes(message.message().as_bytes(), policy=policy.default)
                    self.assertIsNone(read["Bcc"])
                    self.assertLessEqual(len(found.subject), letters.LONGEST_SUBJECT)
                    self.assertEqual(read.get_body(("plain",)).get_content().strip(), found.text.strip())

    def test_german_is_complete_and_compiled(self) -> None:
        source = (CATALOGUE / "django.po").read_text()
        with (CATALOGUE / "django.mo").open("rb") as file:
            compiled = gettext.GNUTranslations(file)
        asked = set()
        for file in FOLDER.iterdir():
            found = MESSAGE.finditer(templatize(file.read_text()))
            asked |= {re.sub(r"\s+", " ", eval(one["text"])) for one in found}  # noqa: S307 - of our own files
        self.assertGreater(len(asked), 35)
        for text in asked:
            self.assertNotEqual(compiled.gettext(text), text, "no German")
            places = re.compile(r"%\(\w+\)s|%%")
            self.assertEqual(sorted(places.findall(text)), sorted(places.findall(compiled.gettext(text))))
        for line in re.findall(r'^msgstr "(.+)"$', source, re.MULTILINE):
            self.assertIn(line.replace('\\"', '"'), set(compiled._catalog.values()))
        self.assertEqual(set(compiled._catalog) - asked, {""}, "what no e-mail says any more")

    def test_the_sender_is_called_as_in_the_settings(self) -> None:
        for setting, name in (
            ("Example GmbH <a@example.com>", "Example GmbH"),
            ("a@example.com", "example.com"),
        ):
            with override_settings(DEFAULT_FROM_EMAIL=setting):
                self.assertEqual(letters.sender(), name)
                self.assertIn(name, made(letters.mails()[0]).html)


class OverriddenTests(SimpleTestCase):
    """Texts and layouts of operators, in their folder."""

    def setUp(self) -> None:
        super().setUp()
        data = Path(self.enterContext(TemporaryDirectory()))
        self.folder = data / "templates"
        (self.folder / "mails").mkdir(parents=True)
        templates = [{**settings.TEMPLATES[0], "DIRS": [self.folder, *settings.TEMPLATES[0]["DIRS"]]}]
        self.enterContext(override_settings(TEMPLATES=templates, NODEPOINT_DATA=data))
        self.mail = next(one for one in letters.mails() if one.template == "site_back")

    def write(self, name: str, text: str | bytes) -> None:
        (self.folder / "mails" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        for loader in engines["django"].engine.template_loaders:
            loader.reset()

    def test_a_text_of_theirs_comes_in_our_layout(self) -> None:
        self.write("site_back.txt", "Back again, {{ name }} & Co\n\nDear customer,\n\n  [Visit] {{ url }}\n")
        found = made(self.mail, name="jane & joe")
        self.assertEqual(found.subject, "Back again, jane & joe & Co")
        self.assertIn("Dear customer,\n\n  https://jane.example.net\n", found.text)
        self.assertIn(">Visit</a>", found.html)

    def test_the_one_of_the_page_for_operators(self) -> None:
        self.write("site_live.txt", command("own-text"))
        found = made(next(one for one in letters.mails() if one.template == "site_live"))
        self.assertEqual(found.subject, "Welcome to NodePoint: jane.example.net is ready")
        self.assertIn(">Set the password</a>", found.html)
        self.assertIn("action=rp", found.text)

    def test_a_page_of_theirs_for_one_kind(self) -> None:
        self.write(
            "site_back.html", "<h1>{{ sender }}</h1>{% for one in blocks %}{{ one.text }} {% endfor %}"
        )
        found = made(self.mail)
        self.assertIn("<h1>NodePoint</h1>", found.html)
        self.assertIn("Hello,", found.text)

    def test_one_that_cannot_be_used_is_named(self) -> None:
        for text, why in (
            ("{% if %}x", "site_back.txt"),
            ("Only a subject", "the first line is the subject"),
            ("{% extends 'nowhere.txt' %}", "nowhere.txt"),
            (b"\xff\xfe", "site_back.txt"),
        ):
            with self.subTest(text=text):
                self.write("site_back.txt", text)
                with self.assertRaisesRegex(Unreadable, re.escape(why)):
                    made(self.mail)

    def test_the_checks_name_what_cannot_be_used_and_what_nobody_asks_for(self) -> None:
        self.assertEqual(checks.own_texts(), [])
        self.write("site_back.txt", "{% if %}")
        self.write("site_life.txt", "Hello\n\nHello\n")
        lost, fault = (one.msg for one in checks.own_texts())
        self.assertIn("site_life.txt: no e-mail is called so", lost)
        self.assertIn("mails/site_back.txt: Unexpected end of expression", fault)

    def test_it_is_asked_for_again_until_it_is_mended(self) -> None:
        self.write("site_back.txt", "{% if %}")
        row = mock.Mock(pk="x", recipient="")
        contents = letters.Contents("a@example.com", self.mail.sample)
        with mock.patch.object(Preferences, "current", lambda: Preferences()):
            outcome = letters._letter(self.mail, lambda row: contents, row)
        self.assertEqual(outcome.error, letters.UNREADABLE)
        self.assertIn("site_back.txt", outcome.detail)
