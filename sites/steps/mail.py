"""E-mail to the customer. It comes from here, since the portal's own goes out before the site exists."""

from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome, Retry
from sites.models import Site


def customer_told(call: Call) -> Outcome:
    """One e-mail says that the site is live, where it is and how to log in."""
    site: Site = call.subject
    body = render_to_string("sites/site_live.txt", {"site": site})
    message = EmailMessage(f"Your WordPress site {site.hostname} is ready", body, to=[site.email])
    try:
        message.send()
    except OSError as error:  # smtplib's errors are OSErrors too
        return Retry(error="The mail server did not take the message.", detail=str(error))
    return Done(ref=site.email)
