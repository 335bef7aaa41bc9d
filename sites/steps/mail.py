"""E-mail to the customer. It comes from here, since the portal's own goes out before the site exists.

It holds a link to set the password, which the step has made and hands to the mail server alone: neither the
job's rows nor a log ever see it. A mail that is sent twice holds two links, of which the later one works.
"""

from smtplib import SMTPException

from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome, Retry
from sites import access
from sites.models import Site

NO_LINK = "WordPress gave no link to set the password."


def customer_told(call: Call) -> Outcome:
    """One e-mail says that the site is live, where it is and how to log in."""
    return _sent(call.subject, f"Your WordPress site {call.subject.hostname} is ready", "sites/site_live.txt")


def reset_told(call: Call) -> Outcome:
    """One e-mail says that the site was reset and how to log in again."""
    return _sent(
        call.subject, f"Your WordPress site {call.subject.hostname} was reset", "sites/site_reset.txt"
    )


def _sent(site: Site, subject: str, template: str) -> Outcome:
    """Sent with a link; without one only where the site is meant to be off, and then the mail says so.

    A site that gives no link is asked again until the step's time is over: an e-mail that helps nobody in
    would look like success.
    """
    is_off = site.power_wished != "running"
    try:
        link = "" if is_off else access.password_link(site)
    except access.NotRunning:
        return Retry(error=NO_LINK, detail="The container does not run.")
    except access.NoLink as error:
        return Retry(error=NO_LINK, detail=str(error))
    body = render_to_string(template, {"site": site, "link": link})
    try:
        EmailMessage(subject, body, to=[site.email]).send()
    except OSError as error:  # smtplib's errors are OSErrors too
        return Retry(error="The mail server did not take the message.", detail=_said(error))
    note = "Sent without a link to set the password, since the site is off." if is_off else ""
    return Done(ref=site.email, note=note)


def _said(error: OSError) -> str:
    """What the mail server said. Some repeat the message that they refuse, and with it the link."""
    if isinstance(error, SMTPException):
        return f"{type(error).__name__} {getattr(error, 'smtp_code', '')}".strip()
    return str(error)
