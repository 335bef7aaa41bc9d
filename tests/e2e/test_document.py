"""Whatever a caller sends, the answer is one that our own OpenAPI document describes, and no failure of ours.

NODEPOINT_FUZZ: cases for each call and way of making them up (3); `script/fuzz 200` makes tens of thousands.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest import skipUnless

from nodepoint.api.models import Token
from nodepoint.management.commands.serve import web
from nodepoint.management.local import listen
from sites import services
from sites.models import Site
from tests.e2e.base import ProcessTestCase, database_url

CASES = os.environ.get("NODEPOINT_FUZZ", "3")
PROGRAM = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@skipUnless(PROGRAM, "schemathesis is not installed")
class DocumentTests(ProcessTestCase):
    speed = 0

    def start_web(self) -> str:
        """Web processes as in production, and their address."""
        listener = self.enterContext(listen("127.0.0.1", 0))
        env = os.environ | self.lab_settings | {"NODEPOINT_DATA": str(self.folder), "LOG_LEVEL": "ERROR"}
        env |= {"DATABASE_URL": database_url(), "API_WAIT_SECONDS": "0"}
        for child in web(listener, grace=4):
            self.supervisor.start(replace(child, env=env, log=self.folder / "web.log"))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def order_what_is_made_up_first(self) -> None:
        """A live site of the id that fuzzers begin with: else all that is asked of sites would be 404."""
        services.create_site(service_id="0", email="a@example.com", plan="basic", public_ip="203.0.113.10")
        self.until(lambda: Site.objects.get().state == Site.State.LIVE, 60)

    def test_every_answer_is_described(self) -> None:
        _, secret = Token.issue("fuzz", ["sites", "dns", "support", "metrics"], rate_per_minute=0)
        self.start_worker()
        url = self.start_web()
        self.order_what_is_made_up_first()
        command = [PROGRAM, "run", f"{url}/schema", "--header", f"Authorization: Bearer {secret}"]
        options = {
            "max-examples": CASES,
            "checks": CHECKS,
            "request-timeout": "30",
            "seed": "1",
            "workers": "2",
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        phases = ["--phases=examples,coverage,fuzzing", "--suppress-health-check=all", "--no-color"]
        found = subprocess.run(
            [*command, *arguments, *phases], cwd=self.folder, capture_output=True, text=True, timeout=3600
        )
        log = (self.folder / "web.log").read_text()
        self.assertEqual(found.returncode, 0, found.stdout[-6000:] + found.stderr[-1000:] + log[-3000:])
        self.assertNotIn("Traceback", log)
