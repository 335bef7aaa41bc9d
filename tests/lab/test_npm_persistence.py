"""What a lab that was killed finds again on its data folder: NPM, Cloudflare, DNS and SSH keys."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

import requests

from tests.visitor import visit

START = """
import json, sys, time, pathlib, lab
running = lab.start(pathlib.Path(sys.argv[1]), speed=float(sys.argv[2]))
print(json.dumps(running.settings), flush=True)
time.sleep(60)
"""


class KilledLabTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def start(self, speed: float = 0.0) -> dict[str, str]:
        command = [sys.executable, "-c", START, str(self.folder), str(speed)]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        self.addCleanup(self.kill, self.process)
        assert self.process.stdout
        return dict(json.loads(self.process.stdout.readline()))

    def kill(self, process: subprocess.Popen[str]) -> None:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdout
        process.stdout.close()

    def npm(self, settings: dict[str, str]) -> requests.Session:
        session = requests.Session()
        self.addCleanup(session.close)
        login = {"identity": settings["NPM_EMAIL"], "secret": settings["NPM_PASSWORD"]}
        token = session.post(f"{settings['NPM_URL']}/api/tokens", json=login, timeout=5).json()["token"]
        session.headers["Authorization"] = f"Bearer {token}"
        return session

    def state(self, settings: dict[str, str], session: requests.Session) -> list[Any]:
        cloudflare = {"Authorization": f"Bearer {settings['CLOUDFLARE_API_TOKEN']}"}
        records = f"{settings['CLOUDFLARE_API_URL']}/zones/{settings['CLOUDFLARE_ZONE_ID']}/dns_records"
        return [
            session.get(f"{settings['NPM_URL']}/api/nginx/proxy-hosts", timeout=5).json(),
            session.get(f"{settings['NPM_URL']}/api/nginx/certificates", timeout=5).json(),
            requests.get(records, headers=cloudflare, timeout=5).json()["result"],
        ]

    def test_everything_is_as_before_ports_tokens_and_state(self) -> None:
        settings = self.start()
        session = self.npm(settings)
        host = {"forward_scheme": "http", "forward_host": "192.168.1.100", "forward_port": 80}
        for name in ("kept.nodepoint.eu", "gone.nodepoint.eu"):
            body = {"domain_names": [name], "certificate_id": 1, **host}
            session.post(f"{settings['NPM_URL']}/api/nginx/proxy-hosts", json=body, timeout=5)
        session.delete(f"{settings['NPM_URL']}/api/nginx/proxy-hosts/2", timeout=5)
        records = f"{settings['CLOUDFLARE_API_URL']}/zones/{settings['CLOUDFLARE_ZONE_ID']}/dns_records"
        requests.post(
            records,
            json={"type": "A", "name": "kept", "content": "203.0.113.10"},
            headers={"Authorization": f"Bearer {settings['CLOUDFLARE_API_TOKEN']}"},
            timeout=5,
        )
        before = self.state(settings, session)
        known_hosts = Path(settings["SSH_KNOWN_HOSTS"]).read_text()

        self.kill(self.process)
        again = self.start()

        self.assertEqual(again, settings)
        self.assertEqual(self.state(settings, session), before)
        self.assertEqual([row["domain_names"] for row in before[0]], [["kept.nodepoint.eu"]])
        self.assertEqual(len(before[2]), 1)
        self.assertEqual(Path(settings["SSH_KNOWN_HOSTS"]).read_text(), known_hosts)
        authority = Path(settings["SSH_KEY_FILE"]).parent / "authority.pem"
        answer = visit(settings["PROXY_CHECK_ADDRESS"], "https://kept.nodepoint.eu/", verify=str(authority))
        self.assertEqual(answer.status_code, 502)
        body = {"domain_names": ["gone.nodepoint.eu"], **host}
        created = session.post(f"{settings['NPM_URL']}/api/nginx/proxy-hosts", json=body, timeout=5).json()
        self.assertEqual(created["id"], 3)

    def test_certbot_goes_on_to_its_end(self) -> None:
        settings = self.start(speed=0.2)
        session = self.npm(settings)
        credentials = f"dns_cloudflare_api_token={settings['CLOUDFLARE_API_TOKEN']}"
        meta = {"dns_challenge": True, "dns_provider": "cloudflare", "dns_provider_credentials": credentials}
        body = {"provider": "letsencrypt", "domain_names": ["*.shop.nodepoint.eu"], "meta": meta}
        url = f"{settings['NPM_URL']}/api/nginx/certificates"
        with self.assertRaises(requests.ReadTimeout):
            session.post(url, json=body, timeout=0.2)
        self.kill(self.process)

        self.start(speed=0.2)

        deadline = time.monotonic() + 5
        while True:
            (row,) = session.get(f"{url}?query=shop", timeout=5).json()
            if row["expires_on"] > row["created_on"]:
                break
            self.assertLess(time.monotonic(), deadline, "certbot never came to an end")
            time.sleep(0.05)
