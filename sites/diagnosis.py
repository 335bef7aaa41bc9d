"""What a site says of itself from inside (`install/health.sh`): read strictly, and judged. Text in, facts and
sentences out."""

import re
from collections.abc import Callable, Iterator
from typing import Any

Facts = dict[str, Any]

LONGEST = 400  # lines that are read
DISK = 90  # percent, of bytes and of inodes
SECURITY_HOURS = 48  # that security updates of the system may wait
LISTS_HOURS = 72  # that its lists may be old
WORD, NAME, VERSION = r"[0-9a-z._-]{1,60}", r"[0-9A-Za-z@.+_:\\-]{1,80}", r"[0-9A-Za-z.+~:_-]{1,60}"
NUMBER = r"\d{1,9}"
FORMS = {
    "system": r"[0-9A-Za-z ./()_-]{1,60}",
    "release": VERSION,
    "package": f"({NAME}) ({VERSION})",
    "disk": NUMBER,
    "inodes": NUMBER,
    "restart": "needed",
    "down": NAME,
    "failed": NAME,
    "pending": f"({NUMBER}) ({NUMBER})",
    "security": "[0-9a-f]{16}",
    "lists": NUMBER,
    "unattended": NUMBER,
    "mail": f"({NUMBER}) ({NUMBER})",
    "wordpress": VERSION,
    "minor": VERSION,
    "newer": VERSION,
    "plugins": NUMBER,
    "themes": NUMBER,
    "overdue": NUMBER,
    "refused": VERSION,
    "test": f"({WORD}) (good|recommended|critical|unknown)",
    "answered": "yes",
    "safemode": "on|off",
}
LINE = re.compile(r"([a-z]{1,20}) (.+)")
SEVERAL = {"package", "down", "failed", "test"}  # facts that come more than once


class NotWhole(Exception):
    """The answer does not end as the script ends."""


def read(text: str) -> Facts:
    """The facts of an answer. A line of no known form is passed over: what the site prints between is data.
    NotWhole."""
    lines = text.split("\n")[:LONGEST]
    if lines[-2:] != ["end", ""]:
        raise NotWhole
    facts: Facts = {}
    for line in lines[:-2]:
        if found := LINE.fullmatch(line):
            _take(facts, found[1], found[2])
    return facts


def _take(facts: Facts, key: str, said: str) -> None:
    form = FORMS.get(key)
    if form is None or not (found := re.fullmatch(form, said, re.ASCII)):
        return
    values = [int(one) if one.isdecimal() else one for one in (found.groups() or (said,))]
    if key in ("package", "test"):
        facts.setdefault(key, {})[values[0]] = str(values[1])
    elif key in SEVERAL:
        facts.setdefault(key, []).append(str(values[0]))
    else:
        facts[key] = values if len(values) > 1 else values[0]


def troubles(facts: Facts) -> list[str]:
    """What staff should look at, in sentences; the worst first."""
    return [sentence for judge in JUDGES for sentence in judge(facts)]


def _services(facts: Facts) -> Iterator[str]:
    if down := facts.get("down"):
        yield f"Not running: {', '.join(down)}."
    if failed := sorted(set(facts.get("failed", [])) - set(facts.get("down", []))):
        yield f"Failed services of the system: {', '.join(failed)}."


def _wordpress(facts: Facts) -> Iterator[str]:
    if "answered" not in facts:
        yield "WordPress does not start on the command line: a plugin or theme may be at fault."
    if critical := [name for name, status in facts.get("test", {}).items() if status == "critical"]:
        yield f"Site Health has critical issues: {', '.join(critical)}."
    if refused := facts.get("refused"):
        yield f"WordPress's update to {refused} failed."


def _disk(facts: Facts) -> Iterator[str]:
    for key, of in (("disk", "disk"), ("inodes", "disk's inodes")):
        if (percent := facts.get(key, 0)) >= DISK:
            yield f"{percent} % of the {of} are in use."


def _cron(facts: Facts) -> Iterator[str]:
    if overdue := facts.get("overdue"):
        yield f"WordPress's cron is stuck: {overdue} tasks are overdue for more than an hour."


def _mail(facts: Facts) -> Iterator[str]:
    taken, refused = facts.get("mail", (0, 0))
    if refused:
        yield f"Of {taken + refused} mails of the last day the relay did not take {refused}."


def _updates(facts: Facts) -> Iterator[str]:
    _, security = facts.get("pending", (0, 0))
    if security and facts.get("unattended", LISTS_HOURS) > SECURITY_HOURS:
        yield f"{security} security updates of the system wait, and nothing has installed any for two days."
    if (hours := facts.get("lists", 0)) > LISTS_HOURS:
        yield f"The system has not looked for updates for {hours // 24} days."
    if "restart" in facts:
        yield "Updates of the system ask for a restart."


JUDGES: tuple[Callable[[Facts], Iterator[str]], ...] = (
    _services,
    _wordpress,
    _disk,
    _cron,
    _mail,
    _updates,
)


def versions(facts: Facts) -> dict[str, str]:
    """What runs in it, by name: for people."""
    system, release = facts.get("system"), facts.get("release")
    packages = facts.get("package", {})
    named = {
        "WordPress": facts.get("wordpress"),
        **{_plain(name): version for name, version in sorted(packages.items())},
        "System": " ".join(filter(None, [system, f"({release})" if release else None])) or None,
    }
    return {name: str(version) for name, version in named.items() if version}


def _plain(package: str) -> str:
    return {"mariadb-server": "MariaDB", "nginx": "nginx"}.get(package, package)


def updates(facts: Facts) -> str:
    """Which updates wait, in one line; empty where none do."""
    pending, security = facts.get("pending", (0, 0))
    waiting = [
        f"WordPress {facts['minor']}" if "minor" in facts else "",
        f"WordPress {facts['newer']} (a new branch)" if "newer" in facts else "",
        f"{facts['plugins']} plugins" if facts.get("plugins") else "",
        f"{facts['themes']} themes" if facts.get("themes") else "",
        f"{pending} packages, {security} of them for security" if pending else "",
    ]
    return ", ".join(filter(None, waiting))
