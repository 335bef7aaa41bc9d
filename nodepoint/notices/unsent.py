"""Where no mail server is set: a line in the log instead of each e-mail.

Django's console backend writes the whole letter. Ours hold links that set a password or log in, and what goes
to standard error of a service is kept.
"""

from collections.abc import Sequence

import structlog
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

log = structlog.get_logger("nodepoint.notices")


class Backend(BaseEmailBackend):
    """Sends nothing; says to whom and about what it would have been."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """How many were noted; of the body not a word."""
        for message in email_messages:
            log.warning("mail_not_sent", to=message.recipients(), subject=message.subject)
        return len(email_messages)
