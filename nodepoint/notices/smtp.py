"""Django's SMTP backend with an end: a server that hangs or drips is cut off."""

import contextlib
import smtplib
import socket
import threading
from collections.abc import Mapping
from typing import Any

from django.core.mail.backends.smtp import EmailBackend

from nodepoint.notices.recipients import Said

EACH = 10  # seconds for one answer
ALL = 40.0  # seconds for one connection, from its beginning to its end


class _Bounded:
    """Cuts the connection off when its time is over: the time-out of a socket begins anew with every byte."""

    end: threading.Timer | None = None
    refused: Mapping[int, Said] = {}

    def connect(self, *args: Any, **options: Any) -> tuple[int, bytes]:
        """Connect, and let the time begin."""
        self.end = threading.Timer(ALL, self._cut)
        self.end.daemon = True
        self.end.start()
        return super().connect(*args, **options)

    def sendmail(self, from_addr: str, to_addrs: list[str], msg: bytes, **options: Any) -> dict[str, Said]:
        """Send, and keep in `refused` what was said against recipients, by their place: smtplib raises only
        where all are refused, or the server breaks off (SMTP.sendmail), and Django drops what it returns."""
        said: dict[str, Said] = {}
        try:
            said = super().sendmail(from_addr, to_addrs, msg, **options)
        except smtplib.SMTPRecipientsRefused as error:
            said = error.recipients
            raise
        finally:
            self.refused = {place: said[to] for place, to in enumerate(to_addrs) if to in said}
        return said

    def close(self) -> None:
        """Close the connection."""
        if self.end:
            self.end.cancel()
        super().close()

    def _cut(self) -> None:
        if self.sock is not None:
            with contextlib.suppress(OSError):  # the server has closed it at this very moment
                self.sock.shutdown(socket.SHUT_RDWR)


class BoundedSMTP(_Bounded, smtplib.SMTP):
    """Plain, or with STARTTLS."""


class BoundedSMTPS(_Bounded, smtplib.SMTP_SSL):
    """TLS from the beginning."""


class Backend(EmailBackend):
    """Takes EMAIL_URL as Django's does; every call is over within ALL seconds."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.timeout = self.timeout or EACH

    @property
    def refused(self) -> Mapping[int, Said]:
        """What the server said against recipients of the last message, by their place in it."""
        return self.connection.refused if self.connection else {}

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """What is connected with."""
        return BoundedSMTPS if self.use_ssl else BoundedSMTP
