"""E-mail to the customer. It comes from here, since the portal's own goes out before the site exists."""

from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome, Retry
from sites.models import Site


def customer_told(call: Call) -> Outcome:
    """One e-mail says that the site is live, where it is and how to log in."""
    return _sent(call.subject, f"Your WordPress site {call.subject.hostname} is ready", "sites/site_live.txt")


def reset_told(call: Call) -> Outcome:
    """One e-mail says that the site was reset and how to log in again."""
    return _sent(
        call.subject, f"Your WordPress site {call.subject.hostname} was reset", "sites/site_reset.txt"
    )


def _sent(site: Site, subject: str, template: str) -> Outcome:
    message = EmailMessage(subject, render_to_string(template, {"site": site}), to=[site.email])
    try:
        message.send()
    except OSError as error:  # smtplib's errors are OSErrors too
        return Retry(error="The mail server did not take the message.", detail=str(error))
    return Done(ref=site.email)
