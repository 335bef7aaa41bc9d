"""``python -m lab --data DIR``: the lab in the foreground, until SIGTERM or SIGINT."""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

import lab


def main() -> int:
    """Run until told to end; 0 then, 1 when it could not start."""
    options = _options()
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    try:
        running = lab.start(
            options.data, options.speed, options.jitter, options.port, options.proxmox, options.address
        )
    except (lab.FolderInUse, OSError, ValueError) as error:
        sys.stderr.write(f"The lab could not start: {error}\n")
        return 1
    _announce(options.data, running)
    ending.wait()
    running.stop()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab", description="The simulated infrastructure.")
    parser.add_argument("--data", type=Path, required=True, help="folder for state, keys, ports and lab.json")
    parser.add_argument("--speed", type=float, default=1.0, help="factor on durations: 1 life-like, 0 none")
    parser.add_argument("--jitter", type=float, default=0.0, help="0.2: durations vary by up to 20 %%")
    parser.add_argument("--port", type=int, default=0, help="port of the control calls; 0: any")
    parser.add_argument("--address", default="127.0.0.1", help="IPv4 address of this machine to listen on")
    parser.add_argument("--proxmox", choices=("8.4", "9.2"), default="9.2", help="release of Proxmox VE")
    return parser.parse_args()


def _announce(data: Path, running: lab.Lab) -> None:
    """Write lab.json whole or not at all: whoever sees it can connect at once."""
    temporary = data / "lab.json.new"
    content = {"lab_url": running.url, "settings": running.settings, "pid": os.getpid()}
    temporary.write_text(json.dumps(content, indent=1) + "\n")
    temporary.chmod(0o600)
    os.replace(temporary, data / "lab.json")
    sys.stdout.write(f"The lab is at {running.url}, its settings in {data / 'lab.json'}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
