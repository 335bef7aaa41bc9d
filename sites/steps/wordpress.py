"""WordPress inside the container: installed by our script, then looked at from inside and as a visitor."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from nodepoint.clients.errors import NotFound
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry, Wait
from sites import answers, install
from sites.clients.console import Output
from sites.clients.website import Page
from sites.connections import console, proxmox, website
from sites.models import Site
from sites.steps.proxmox import follows_moves, require

TRIES = 3  # of the whole script: package mirrors and downloads fail now and then
SILENT_AFTER = 180.0  # seconds without an end after which the script is asked whether it still runs
MOST_NAMES = 20  # that are kept of those that a site went by
SHORT = 8.0  # seconds that a script takes whose end is waited for on the spot
MOST_WAITING = 4  # of this process: each takes a thread of a dozen, and one of the node's eight SSH sessions
NOT_INSTALLED = "WordPress could not be installed."
NOT_OURS = "What is inside the container was not made by us."

_places = threading.BoundedSemaphore(MOST_WAITING)


@follows_moves
def installed(call: Call) -> Outcome:
    """The install script has run to its end in the container: WordPress is there, fits the plan, and goes by
    its primary domain."""
    return ran(call, install.script)


def ran(call: Call, script: Callable[[Site, str, int], str]) -> Outcome:
    """The script for a site, its primary domain, and the seconds that it may stay, has run to its end, and
    what it was asked for is noted."""
    site: Site = call.subject
    primary, choices = site.primary_domain, install.choices(site)
    asked = {"primary": primary, "choices": choices, "level": install.LEVEL}
    outcome = carried_out(call, lambda stay: script(site, primary, stay))
    if isinstance(outcome, Done):
        return Done(facts=_inside(site, call.step.data if call.ref else asked))
    if isinstance(outcome, Wait) and outcome.ref:
        return replace(outcome, data=outcome.data | asked)  # not what may have become right since
    return outcome


def _inside(site: Site, asked: dict[str, Any]) -> dict[str, Any]:
    """What is known of the inside once the script has done what it was asked for. Options that were chosen
    meanwhile are not there yet, so that it does not fit."""
    name = asked.get("primary", "")
    fits = asked.get("choices") == install.choices(site)
    return {
        "tuned_for_mb": site.plan.memory_mb if fits else None,
        "serves_as": name,
        "content_names": _content_names(site, name),
        "level": asked.get("level", 0),
    }


def _content_names(site: Site, name: str) -> list[str]:
    """What is written from now on holds this name; what was written, those before. An order that lost its
    name on its way has nothing written yet."""
    before = site.content_names if site.state == Site.State.LIVE else []
    return [*(one for one in before if one != name), *filter(None, [name])][-MOST_NAMES:]


def carried_out(call: Call, script: Callable[[int], str]) -> Outcome:
    """The install script, as `script` gives it for the seconds that it may stay, has run to its end in the
    subject's container."""
    if not call.ref:
        return _start(call, script)
    end = answers.end_of_installation(look(call.subject, ["cat", install.STATUS_FILE]))
    if end is None:
        # A script that was killed leaves no end marker. Starting it again is harmless: while it runs it says
        # `busy`.
        silent = call.elapsed > max(SILENT_AFTER, 2 * (call.usual or 0))
        return _start(call, script) if silent else call.look_again()
    return _failed(call, end) if end else Done()


def needs_tuning(site: Site) -> bool:
    """Whether PHP and MariaDB inside may be sized for another memory than the plan's, the options be others
    than were chosen, WordPress go by another name than it should, or an earlier script have made all that."""
    fits = site.tuned_for_mb == site.plan.memory_mb and site.level >= install.LEVEL
    return not fits or site.serves_as != site.primary_domain


@follows_moves
def tuned(call: Call) -> Outcome:
    """The inside is as the script of this release makes it: sized for the plan's memory, with the customer's
    options, WordPress going by its primary domain. In a
    stopped container nothing can be done: it is noted, so that the next start sees to it."""
    if not call.ref:
        container = require(call.subject)
        if not proxmox().container_status(container.node, container.vmid).running:
            return Done(facts={"tuned_for_mb": None}, note="It does not run: this is done at its next start.")
    return installed(call)


def look(site: Site, command: list[str]) -> Output:
    """A command that only looks, where the container was last: its mark is not read again for every look."""
    try:
        return console().run(site.node, site.vmid, command)
    except NotFound:
        container = require(site)
        return console().run(container.node, container.vmid, command)


def _start(call: Call, script: Callable[[int], str]) -> Outcome:
    """Hand the script over; it works on by itself, whatever becomes of the connection. One that is known to
    be short stays, so that this very call sees its end when it comes."""
    container = require(call.subject)
    with _stay(call) as stay:
        command = ["bash", "-s", "install"]
        output = console().run(container.node, container.vmid, command, script(stay))
    if output.exit_code == install.FOREIGN:
        return Fail(error=NOT_OURS, detail=answers.words(output.stderr))
    if output.exit_code not in (0, install.BUSY):
        return _failed(call, answers.complaint(output))
    end = answers.end_at_once(output)
    if end is None:
        return call.begun("install", since=call.now if stay else None)
    return _failed(call, end) if end else Done()


@contextmanager
def _stay(call: Call) -> Iterator[int]:
    """Seconds that the script may wait for its own end; 0 where it takes long, as far as is known, or as many
    wait as may."""
    short = call.usual is not None and call.usual <= SHORT
    if not short or not _places.acquire(blocking=False):
        yield 0
        return
    try:
        yield install.LONGEST_STAY
    finally:
        _places.release()


def _failed(call: Call, detail: str) -> Outcome:
    # Counted here: the engine counts failures since the step last got ahead, and every start gets ahead.
    failures = call.step.data.get("failures", 0) + 1
    if failures < TRIES:
        return Retry(ref="", data={"failures": failures}, error=NOT_INSTALLED, detail=detail)
    return Fail(error=NOT_INSTALLED, detail=detail)


@follows_moves
def verified(call: Call) -> Outcome:
    """WordPress answers with its front page, inside the container and, where it can be reached, through the
    proxy: the site is live.
    """
    site: Site = call.subject
    if wrong := wrong_inside(site):
        return Retry(error="WordPress does not answer as it should.", detail=f"inside: {wrong}")
    note = ""
    if website() is None:
        note = "Not looked at through the proxy: PROXY_CHECK_ADDRESS is not set."
    elif site.suspended:
        note = "Not looked at through the proxy: the site was suspended meanwhile."
    elif wrong := answers.words(website().front_page(site.primary_domain).trouble()):
        return Retry(
            error="WordPress does not answer through Nginx Proxy Manager yet.", detail=f"proxy: {wrong}"
        )
    return Done(note=note, facts={"state": Site.State.LIVE, "live_at": site.live_at or call.now})


def wrong_inside(site: Site, name: str = "") -> str:
    """What the container's web server answers instead of WordPress's front page; empty when all is well.
    `name`: under which it goes there, if not by its primary one."""
    headers = ["-H", f"Host: {name or site.primary_domain}", "-H", "X-Forwarded-Proto: https"]
    output = look(site, ["curl", "-sS", "-i", "--max-time", "10", *headers, "http://127.0.0.1/"])
    if output.exit_code:
        return answers.words(output.stderr) or f"curl ends with {output.exit_code}"
    try:
        return answers.words(Page.read(output.stdout).trouble())
    except ValueError as error:
        return answers.words(str(error))
