"""What customers may choose about WordPress inside their site."""

import re

from django.test import SimpleTestCase

from sites import install, options
from sites.models import Plan
from tests.sites.test_install_script import NAME, bash, site


class BoundTests(SimpleTestCase):
    def test_the_script_is_given_what_was_chosen(self):
        order = site()
        given = install.parameters(order)
        names = ("XMLRPC", "UPLOAD_MB", "MEMORY_LIMIT_MB", "PAGE_CACHE")
        self.assertEqual([given[name] for name in names], ["no", 128, 0, "yes"])
        order.xmlrpc, order.upload_mb, order.php_memory_mb, order.page_cache = True, 2048, 400, False
        given = install.parameters(order)
        self.assertEqual([given[name] for name in names], ["yes", 2048, 400, "no"])

    def test_a_smaller_plan_lowers_the_limit_and_a_larger_one_gives_it_back(self):
        order = site()
        order.php_memory_mb = 1500
        for memory, limit in ((2048, 512), (8192, 1500), (512, 128)):
            order.plan.memory_mb = memory
            self.assertEqual(options.of(order).memory_mb, limit)
            self.assertEqual(install.parameters(order)["MEMORY_LIMIT_MB"], limit)

    def test_the_default_that_is_told_is_that_of_the_script(self):
        head = install.script(site(), NAME).rpartition("# In braces")[0]
        for memory in (256, 1023, 1024, 8191, 8192, 32768):
            said = bash(f"{head}\nMEMORY={memory}\nphp_options\n", "-s").stdout.decode()
            limit = re.search(r"^memory_limit = (\d+)M$", said, re.MULTILINE)
            self.assertEqual(int(limit[1]), options.usual_memory(Plan(memory_mb=memory)))
