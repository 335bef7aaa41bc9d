"""Django's SMTP backend with an end: a server that hangs or drips is cut off."""

import contextlib
import smtplib
import socket
import threading
from typing import Any

from django.core.mail.backends.smtp import EmailBackend

EACH = 10  # seconds for one answer
ALL = 40.0  # seconds for one connection, from its beginning to its end


class _Bounded:
    """Cuts the connection off when its time is over: the time-out of a socket begins anew with every byte."""

    end: threading.Timer | None = None

    def connect(self, *args: Any, **options: Any) -> tuple[int, bytes]:
        """Connect, and let the time begin."""
        self.end = threading.Timer(ALL, self._cut)
        self.end.daemon = True
        self.end.start()
        return super().connect(*args, **options)

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
    def connection_class(self) -> type[smtplib.SMTP]:
        """What is connected with."""
        return BoundedSMTPS if self.use_ssl else BoundedSMTP
