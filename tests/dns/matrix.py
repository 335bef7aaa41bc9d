"""Six types of records and what is unusual in their names and contents: what is asked for, and what public
DNS has to answer."""

from collections.abc import Iterator
from dataclasses import dataclass

LONG = "a" * 63
FIELDS = {"A": "ip", "AAAA": "ip", "CNAME": "target", "MX": "exchange", "NS": "ns", "TXT": "txt"}


@dataclass(frozen=True)
class Case:
    """One record. `name`: as it is written; `owner`: what DNS is asked for, without the zone. `answer`: for
    TXT the bytes of all strings, else as in a zone file. `{zone}` stands for the zone."""

    type: str
    name: str
    owner: str
    content: str
    answer: bytes
    priority: int | None = None


# Names, what they are in DNS, and the types that they are for.
ANY = ("A", "AAAA", "CNAME", "MX", "NS", "TXT")
NAMES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("@", "", ("A", "AAAA", "MX", "TXT")),
    ("{zone}", "", ("TXT",)),
    ("WWW.{zone}.", "www", ANY),
    ("MiXed.CaSe", "mixed.case", ANY),
    ("*", "*", ("A", "AAAA", "CNAME", "MX", "TXT")),
    ("*.dev", "*.dev", ("A", "AAAA", "CNAME", "MX", "TXT")),
    ("_dmarc", "_dmarc", ("CNAME", "NS", "TXT")),
    ("_a._b_.c_c", "_a._b_.c_c", ("CNAME", "NS", "TXT")),
    ("a--b", "a--b", ANY),
    ("abc--d", "abc--d", ANY),
    ("1", "1", ANY),
    ("0.1.2", "0.1.2", ANY),
    (LONG, LONG, ("CNAME", "MX", "NS", "TXT")),
    (f"{'a' * 40}", f"{'a' * 40}", ("A", "AAAA")),
    (f"{LONG}", LONG, ("A", "AAAA")),
    ("d" + ".d" * 30, "d" + ".d" * 30, ANY),
    (".".join(["e" * 60] * 3), ".".join(["e" * 60] * 3), ("CNAME", "MX", "NS", "TXT")),
    ("žluťoučký", "xn--luouk-uva4it5a4g", ANY),
    ("XN--LU-YTA1H", "xn--lu-yta1h", ANY),
    ("faß", "xn--fa-hia", ANY),
    ("ＷＥＢ", "web", ANY),
    ("例え。ｄｅｖ", "xn--r8jz45g.dev", ANY),
    ("пример.x", "xn--e1afmkfd.x", ANY),
    ("www.other.org", "www.other.org", ANY),
)
# Contents, and what they are in answers.
CONTENTS: dict[str, tuple[tuple[str, str], ...]] = {
    "A": (("192.0.2.1", "192.0.2.1"), ("PROXYSRV", "203.0.113.10"), (" 255.255.255.255 ", "255.255.255.255")),
    "AAAA": (
        ("2001:DB8::A", "2001:db8::a"),
        ("::", "::"),
        ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
    ),
    "CNAME": (
        ("Target.Example.NET", "target.example.net."),
        ("host", "host.{zone}."),
        ("@", "{zone}."),
        ("_x._y.example.", "_x._y.example."),
        ("žluť.example", "xn--lu-yta1h.example."),
        (f"{LONG}.example", f"{LONG}.example."),
        (".".join(["b" * 60] * 4), ".".join(["b" * 60] * 4) + "."),
    ),
    "MX": (
        ("mail.example.net", "10 mail.example.net."),
        ("@", "10 {zone}."),
        ("MX-1.ＷＥＢ.example.", "10 mx-1.web.example."),
    ),
    "NS": (("ns1.example.net", "ns1.example.net."), ("NS.žluť.example", "ns.xn--lu-yta1h.example.")),
}
LENGTHS = (1, 63, 64, 127, 128, 253, 254, 255, 256, 511)
TEXTS: tuple[str, ...] = (
    "v=spf1 include:_spf.example.net ~all",
    "v=DMARC1; p=none; rua=mailto:a@example.net",
    "v=DKIM1; k=rsa; p=" + "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC7" * 10,
    'say "hi"',
    '"',
    '"a" b',
    "back\\slash",
    "\\",
    "ends in \\",
    "\\195\\188 as it stands",
    '\\; \\" \\\\',
    "a;b ; c",
    "(a) b ) (",
    "@ $ORIGIN $TTL $INCLUDE /etc/passwd",
    "# % & ' ` | < > ! ~ ^ { } [ ]",
    "über — žluťoučký kůň",
    "日本語 中文 한국어",
    "😀 emoji 👩‍👩‍👧 𝒶𝒷𝒸",
    "é",
    "e\u0301 stays two",
    "\u200b\u00adx\ufeffx\ufffd",
    "x\u00a0y\u3000z",
    "ﷺ" * 100,
    *(("q" if sign == '"' else "") + sign * length for sign in 'aé€😀"\\' for length in LENGTHS),
    *(
        "a" * length + tail
        for length in (251, 252, 253, 254, 255, 509)
        for tail in ('"', "\\", "é", "😀", '\\"')
    ),
    "5" * 254 + '"',
    "中" * 84 + "5" + '"x',
    "x" * 4096,
    "😀" * 1024,
    '"\\' * 2048,
    "PROXYSRV",
)


def cases() -> Iterator[Case]:
    """Every name for each of its types, then every content for each type."""
    for number, (name, owner, types) in enumerate(NAMES):
        for type in types:
            if type == "TXT":
                text = f"name {number}"
                yield Case(type, name, owner, text, text.encode())
            else:
                content, answer = CONTENTS[type][0]
                yield Case(type, name, owner, content, answer.encode(), 10 if type == "MX" else None)
    for type, contents in CONTENTS.items():
        for number, (content, answer) in enumerate(contents):
            name = f"{type.lower()}{number}.content"
            yield Case(type, name, name, content, answer.encode(), 10 if type == "MX" else None)
    yield Case("MX", "nomail", "nomail", ".", b"0 .", 0)
    for number, text in enumerate(TEXTS):
        yield Case("TXT", f"t{number}", f"t{number}", text, text.encode())


BAD_NAMES = (
    *("ab--cd", "x.r3---sn-x", "xn--a", "ａｂ－－ｃｄ", "☃", "a..b", "-a", "a" * 64, "a b", "\u0301a"),
    *("a\u200db", "😀", "a.*", "x;y", "x\ny"),
)
BAD_HOSTS = ("r3---sn-x.example", "xn--a.example", "a..example", "192.0.2.1", "x y.example")
BAD_TEXTS = ("", "a\nb", "a\x00b", "\x7f", "x\x85x", "x" * 4097, "é" * 2049)
GOOD = {"A": "192.0.2.1", "CNAME": "x.example", "TXT": "x", "NS": "ns.x.example", "MX": "m.x.example"}


def refused() -> Iterator[tuple[str, str, str]]:
    """Type, name and content of what must not be taken."""
    yield from ((type, name, content) for type, content in GOOD.items() for name in BAD_NAMES)
    yield from ((type, "x", host) for type in ("CNAME", "MX", "NS") for host in BAD_HOSTS)
    yield from (("TXT", "x", text) for text in BAD_TEXTS)
    yield from (("CNAME", "@", "x.example"), ("NS", "*.x", "ns.x.example"), ("A", "_x", "192.0.2.1"))
    yield ("MX", "x_y", "mail.example")
