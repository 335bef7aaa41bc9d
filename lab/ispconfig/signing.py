"""Keys of signed zones, and what the panel is told of them.

Source: `bind_plugin::soa_dnssec_create` and `soa_dnssec_sign` (3.2.5+), in
server/plugins-available/bind_plugin.inc.php:80, 127: a pair of ECDSA P-256 keys, the signed copy with
`-N increment`, so one above the zone's own serial, and `dnssec_info` with what dnssec-signzone 9.18.49 writes
into its dsset file. Nothing is signed here: the lab's name server answers no RRSIG.
"""

import base64
import hashlib
import struct
import time

from cryptography.hazmat.primitives.asymmetric import ec

ALGORITHM, NUMBER = "ECDSAP256SHA256", 13
ZSK, KSK = 256, 257  # flags of a DNSKEY
SHA256 = 2


def wanted(algorithms: str) -> bool:
    """Whether keys are made for what stands in `dnssec_algo`: with nothing there, none are."""
    return ALGORITHM in algorithms.split(",")


def info(origin: str) -> str:
    """`dnssec_info` of a zone with new keys."""
    keys = {flags: _key(flags) for flags in (ZSK, KSK)}
    tag, digest = _tag(keys[KSK]), _digest(origin, keys[KSK]).upper()
    ds = f"{origin}\t\tIN DS {tag} {NUMBER} {SHA256} {digest[:56]} {digest[56:]}\n"
    listed = "\n\n".join(_file(origin, flags, key) for flags, key in keys.items())
    return f"DS-Records:\n{ds}\n------------------------------------\n\nDNSKEY-Records:\n{listed}\n\n"


def _key(flags: int) -> bytes:
    """The rdata of a new DNSKEY (RFC 4034, 2.1; RFC 6605, 4)."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    public = point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    return struct.pack("!HBB", flags, 3, NUMBER) + public


def _tag(rdata: bytes) -> int:
    """RFC 4034, appendix B."""
    total = sum(byte << 8 if place % 2 == 0 else byte for place, byte in enumerate(rdata))
    return (total + (total >> 16)) & 0xFFFF


def _digest(origin: str, rdata: bytes) -> str:
    labels = origin.rstrip(".").lower().split(".")
    owner = b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"
    return hashlib.sha256(owner + rdata).hexdigest()


def _file(origin: str, flags: int, rdata: bytes) -> str:
    kind = "key" if flags == KSK else "zone"
    stamp = time.strftime("%Y%m%d%H%M%S")
    text = base64.b64encode(rdata[4:]).decode()
    return (
        f"; This is a {kind}-signing key, keyid {_tag(rdata)}, for {origin}\n; Created: {stamp}\n"
        f"{origin} IN DNSKEY {flags} 3 {NUMBER} {text[:56]} {text[56:]}"
    )
