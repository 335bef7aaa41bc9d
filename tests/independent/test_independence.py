"""The second Proxmox VE stands by itself."""

import ast
from pathlib import Path
from unittest import TestCase

PVE = Path(__file__).with_name("pve")
STRANGERS = {"lab", "sites", "dns", "support", "nodepoint", "django", "proxmoxer", "requests"}


class IndependenceTests(TestCase):
    """Nothing of the product or the lab is in it."""

    def test_it_imports_neither_the_lab_nor_the_product_nor_their_clients(self):
        for path in sorted(PVE.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom):
                    names = [node.module or ""]
                self.assertEqual([], [n for n in names if n.partition(".")[0] in STRANGERS], path)
