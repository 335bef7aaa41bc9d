"""Owner marks of customers' clients at ISPConfig, which stand in their customer numbers.

`nodepoint:<installation>:P<user id>` (56 characters at most, of the 64 that the column holds). Numbers of
releases before the installation was part of them, `P<user id>`, are ours; those of another installation are
somebody else's, and so are their zones.
"""

import re
from collections.abc import Iterable

from dns.clients.ispconfig import Client
from nodepoint import installation


def ending(user_id: str) -> str:
    """What every number of a user ends with, whichever installation gave it."""
    return f"P{user_id}"


def beginnings() -> tuple[str, str]:
    """What the numbers of all our clients begin with: as they are given now, and as earlier releases gave
    them."""
    return f"nodepoint:{installation.identity()}:P", "P"


def user_of(customer_no: str) -> str:
    """The user whose client has this number; empty where it is none of ours."""
    for begin in beginnings():
        if found := re.fullmatch(rf"{re.escape(begin)}([0-9]{{1,20}})", customer_no):
            return found[1]
    return ""


def number(user_id: str) -> str:
    """The customer number of a user's client, as it is given now."""
    return f"nodepoint:{installation.identity()}:{ending(user_id)}"


def username(user_id: str) -> str:
    """The client's name in the panel, where each is unique: it keeps clear of other users' and of other
    installations' clients."""
    return f"np_{installation.identity()}_p{user_id}"


def ours(user_id: str, clients: Iterable[Client]) -> list[Client]:
    """Those of these clients that are the user's and not another installation's, in their order."""
    numbers = {number(user_id), ending(user_id)}
    return [client for client in clients if client.customer_no in numbers]
