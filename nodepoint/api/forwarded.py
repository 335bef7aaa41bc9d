"""Where a request really comes from: a proxy's word for it counts only from the proxies that we trust."""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")


class ForwardedMiddleware:
    """REMOTE_ADDR becomes the address of the caller as the proxies of TRUSTED_PROXIES saw it. From anybody
    else, X-Forwarded-For and -Proto are taken off before they can mislead a log, a lock or a cookie."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.trusted = networks(settings.TRUSTED_PROXIES)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sender = address(request.META.get("REMOTE_ADDR", ""))
        if sender is None or not _is_in(sender, self.trusted):
            for name in HEADERS:
                request.META.pop(name, None)
        else:
            chain = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
            request.META["REMOTE_ADDR"] = str(self.caller(sender, chain))
        return self.get_response(request)

    def caller(self, sender: Address, chain: Sequence[str]) -> Address:
        """The last address of the chain that is not a trusted proxy itself: what stands before it, anyone
        could have written. What is no address ends the chain."""
        caller = sender
        for text in reversed(chain):
            found = address(text.strip())
            if found is None:
                return caller
            caller = found
            if not _is_in(found, self.trusted):
                return caller
        return caller


def address(text: str) -> Address | None:
    """An IP address, an IPv4 one also where it is written as IPv6; None for anything else."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def networks(items: Sequence[str]) -> list[Network]:
    """Networks and single addresses, as settings name them. ValueError for anything else."""
    return [ip_network(item) for item in items]


def _is_in(found: Address, trusted: Sequence[Network]) -> bool:
    return any(found in network for network in trusted)
