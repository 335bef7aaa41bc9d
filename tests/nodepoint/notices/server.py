"""A small mail server that misbehaves when told to."""

import contextlib
import socketserver
import ssl
import threading
from email import message_from_bytes
from email.message import Message
from typing import Self

from django.core.mail.backends.base import BaseEmailBackend

BODY_END = b".\r\n"
USUAL = {"DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n", "STARTTLS": b"220 go on\r\n"}


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail on 127.0.0.1. `answers`: what it says instead of its usual word, by verb, `greeting` or
    `message`: bytes, or None to hang up. `refuses`: likewise, to recipients by their address. `tls`: what it
    goes on with after STARTTLS. `taken`: the messages that it has, whether it said so or not; `envelopes`:
    for whom each of them is; `secured`: how many of them came by TLS."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.answers: dict[str, bytes | None] = {}
        self.refuses: dict[str, bytes] = {}
        self.tls: ssl.SSLContext | None = None
        self.secured = 0
        self.taken: list[Message] = []
        self.envelopes: list[list[str]] = []
        self.connections = 0

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.shutdown()
        self.server_close()


class _Talk(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        """Talk until the client leaves, in whatever way, or the script says to hang up."""
        with contextlib.suppress(ConnectionError):
            self.talk()

    def talk(self) -> None:
        """Answer line by line."""
        self.server.connections += 1
        self.recipients: list[str] = []
        if not self.say("greeting", b"220 here\r\n"):
            return
        while line := self.rfile.readline():
            verb = line.split()[0].upper().decode(errors="replace")
            usual = USUAL.get(verb, b"250 fine\r\n")
            if verb == "RCPT":
                usual = self.recipient(line.decode().partition("<")[2].partition(">")[0])
            if not self.say(verb, usual) or verb == "QUIT":
                return
            if verb == "STARTTLS" and self.server.tls and not self.go_on_with_tls(self.server.tls):
                return
            if verb == "DATA" and "DATA" not in self.server.answers and not self.message():
                return

    def recipient(self, address: str) -> bytes:
        """Note one who is not refused; what is said of him."""
        if address not in self.server.refuses:
            self.recipients.append(address)
        return self.server.refuses.get(address, b"250 fine\r\n")

    def go_on_with_tls(self, context: ssl.SSLContext) -> bool:
        """Shake hands; False where the client does not want to."""
        try:
            self.connection = context.wrap_socket(self.connection, server_side=True)
        except OSError:
            return False
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        return True

    def message(self) -> bool:
        """Read one and take it, unless it is refused."""
        lines = []
        while (line := self.rfile.readline()) and line != BODY_END:
            lines.append(line)
        refused = (self.server.answers.get("message") or b"").startswith((b"4", b"5"))
        if not refused:
            self.server.secured += isinstance(self.connection, ssl.SSLSocket)
            self.server.taken.append(message_from_bytes(b"".join(lines)))
            self.server.envelopes.append(self.recipients)
        self.recipients = []
        return self.say("message", b"250 taken\r\n")

    def say(self, at: str, usual: bytes) -> bool:
        """Answer; whether to go on."""
        said = self.server.answers.get(at, usual)
        if said is None:
            return False
        self.wfile.write(said)
        return True


class Away(BaseEmailBackend):
    """Django's backend of a mail server that is away."""

    def open(self) -> None:
        """Nobody answers."""
        raise ConnectionRefusedError("refused")
