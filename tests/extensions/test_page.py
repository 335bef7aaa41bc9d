"""docs/paymenter.md says what the extensions really offer."""

import re
from unittest import TestCase

from tests.extensions import php

PAGE = php.ROOT.parent / "docs" / "paymenter.md"
POINTS = 26  # in which the older samples do not fit today's Paymenter


class PageTests(TestCase):
    def setUp(self) -> None:
        self.page = PAGE.read_text()

    def source(self, extension: str) -> str:
        """All PHP of an extension."""
        return "\n".join(path.read_text() for path in php.sources(extension))

    def test_every_point_is_answered_once(self) -> None:
        rows = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \|$", self.page, re.MULTILINE)
        self.assertEqual([int(number) for number, _, _ in rows], list(range(1, POINTS + 1)))
        self.assertTrue(all(old.strip() and new.strip() for _, old, new in rows))

    def test_every_setting_is_explained(self) -> None:
        for extension in php.EXTENSIONS:
            folder, name = extension.split("/")
            main = (php.ROOT / folder / name / f"{name}.php").read_text()
            form = main[main.index("function getConfig") :].split("function ", 2)[1]
            labels = re.findall(r"'label' => '([^']+)'", form)
            self.assertGreaterEqual(len(labels), 2)
            for label in labels:
                with self.subTest(extension=extension, setting=label):
                    self.assertIn(label, self.page)

    def test_mail_variables_are_what_an_order_returns(self) -> None:
        offered = set(re.findall(r"\{\{ \$(\w+) \}\}", self.page))
        for extension, variables in (
            ("Servers/ProxmoxWP", {"url", "subdomain", "plan", "public_ip", "service_id", "status"}),
            ("Servers/SSupport", {"support_key", "status"}),
        ):
            self.assertLessEqual(variables, offered)
            offered_here = set(re.findall(r"'(\w+)' =>", self.source(extension)))
            self.assertEqual(variables - offered_here, set(), extension)

    def test_sentences_that_an_operator_looks_up_are_ours(self) -> None:
        code = "\n".join(self.source(extension) for extension in php.EXTENSIONS)
        code += "\n".join(path.read_text() for path in (php.ROOT / "shared").glob("*.php"))
        for sentence in (
            "The backend could not be reached.",
            "The backend did not answer in time.",
            "No plan is chosen in the settings of this product.",
        ):
            self.assertIn(f"| {sentence} |", self.page)
            self.assertIn(sentence, code)

    def test_scripts_that_are_named_exist(self) -> None:
        for script in set(re.findall(r"script/(\w+)", self.page)):
            self.assertTrue((php.ROOT.parent / "script" / script).exists(), script)
