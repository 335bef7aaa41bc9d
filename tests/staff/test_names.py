"""One name for a page: in the sidebar, in its title, and on the way to it."""

import re

from django.test import TestCase
from django.urls import NoReverseMatch, reverse

from nodepoint.board.navigation import GROUPS
from tests.staff.base import make_staff

WAY = re.compile(r'align-middle inline-block leading-5 min-w-0 truncate tracking-tight">([^<]*)<')


def _address(page: str) -> str:
    try:
        return reverse(f"admin:{page}")
    except NoReverseMatch:
        return ""


class NamesTests(TestCase):
    def test_each_page_of_the_sidebar_is_called_alike_everywhere(self) -> None:
        self.client.force_login(make_staff("anna", "administrator"))
        for group, items in GROUPS:
            for name, _, page, _ in items:
                if not (group and (address := _address(page))):
                    continue
                with self.subTest(name):
                    answer = self.client.get(address, follow=True)
                    text = answer.content.decode()
                    title = re.search(r"<title>(.*?)</title>", text, re.DOTALL)[1]
                    self.assertEqual(title.split("|")[0].strip(), name)
                    way = [part.strip() for part in WAY.findall(text)]
                    self.assertEqual(way[:2], [group, name] if len(way) > 1 else [name])
