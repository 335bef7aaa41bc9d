"""Keys and certificates of the lab, made once per data folder."""

import datetime
import ipaddress
import os
import ssl
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)
from cryptography.x509.oid import NameOID

YEARS = 10


class Keys:
    """Files in ``folder``: ``ca.pem`` (trust this), the server's pair, the sites' authority, SSH host keys
    and the client's key."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        folder.mkdir(parents=True, exist_ok=True)
        self.ca_file = folder / "ca.pem"
        self._server_file = folder / f"server-{address}.pem"
        self._sites: dict[tuple[str, ...], ssl.SSLContext] = {}
        self.authority_file = folder / "authority.pem"
        """The authority behind the sites' certificates (trust this to visit them), with its key."""
        if not self._server_file.exists():
            self._make_certificates()
        if not self.authority_file.exists():
            _write(self.authority_file, _pem(*_authority("NodePoint lab Encrypt")))

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """A server context with a certificate for the lab's address and localhost, signed by ``ca_file``."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._server_file)
        return context

    def site_tls(self, names: tuple[str, ...]) -> ssl.SSLContext:
        """A server context with a certificate for these names (wildcards allowed), signed by
        ``authority_file``; made once per process. Use it inside the lab's lock."""
        if names not in self._sites:
            key = ec.generate_private_key(ec.SECP256R1())
            pem = self.authority_file.read_bytes()
            ca, ca_key = x509.load_pem_x509_certificate(pem), load_pem_private_key(pem, password=None)
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
            certificate = (
                _certificate(subject, ca.subject, key.public_key(), ca_key.public_key())
                .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                .add_extension(_usage(signs_certificates=False), critical=True)
                .add_extension(x509.SubjectAlternativeName(list(map(x509.DNSName, names))), critical=False)
                .sign(ca_key, hashes.SHA256())
            )
            path = self.folder / "site.pem"
            _write(path, _pem(key, certificate))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(path)
            self._sites[names] = context
        return self._sites[names]

    @property
    def client_key_file(self) -> Path:
        """The private key with which root may log in at the nodes (OpenSSH form, Ed25519)."""
        return self.ssh_key_file("client")

    def ssh_key_file(self, name: str) -> Path:
        """The private key ``name`` (a node's name, or "client"), made on first use."""
        path = self.folder / f"ssh_{name}"
        if not path.exists():
            key = ed25519.Ed25519PrivateKey.generate()
            _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
        return path

    def ssh_public(self, name: str) -> str:
        """The public half, as it stands in authorized_keys and known_hosts: ``ssh-ed25519 AAAA…``."""
        key = load_ssh_private_key(self.ssh_key_file(name).read_bytes(), password=None)
        return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    def _make_certificates(self) -> None:
        ca_key, ca = _authority("NodePoint lab CA")
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        names = [x509.IPAddress(ipaddress.ip_address(self.address)), x509.DNSName("localhost")]
        server = (
            _certificate(name, ca.subject, key.public_key(), ca_key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        _write(self.ca_file, ca.public_bytes(Encoding.PEM))
        _write(self._server_file, _pem(key, server))


def _authority(name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        _certificate(subject, subject, key.public_key(), key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def _certificate(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, by: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> bytes:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


def _write(path: Path, content: bytes) -> None:
    # Written whole or not at all: a lab killed while making a key must not find half of one.
    temporary = path.with_suffix(".new")
    temporary.write_bytes(content)
    temporary.chmod(0o600)
    os.replace(temporary, path)
