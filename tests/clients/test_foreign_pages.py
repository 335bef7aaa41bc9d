"""Pages of strangers are read in linear time."""

import subprocess
import sys
import unittest

from django.conf import settings

# In a process of its own, so that a regular expression that goes astray can be stopped.
READ = """
from sites.clients.website import MOST, Page
for page in ("<title>" * MOST, "<title" * MOST, "<title " + "x" * MOST, "<title>" + "x" * MOST):
    print(len(Page(200, "", page[:MOST]).title))
"""


class ForeignPageTests(unittest.TestCase):
    def test_a_page_made_to_be_slow_is_read_all_the_same(self) -> None:
        """13 s for the first one with `<title[^>]*>(.*?)</title>`."""
        command = [sys.executable, "-c", READ * 5]
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=30, check=True
        )
        self.assertEqual(done.stdout.split()[3], "80")
