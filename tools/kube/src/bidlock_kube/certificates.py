"""An authority and the certificates it issues; all of it in memory until somebody writes it down."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = datetime.timedelta(days=30)
_SLACK = datetime.timedelta(hours=1)
"""Certificates are valid from a little earlier, for a node whose clock is behind."""

SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes

    def write(self, folder: Path, name: str) -> None:
        """Write `<name>.crt` and `<name>.key`, readable by us alone."""
        write(folder / f"{name}.crt", self.certificate)
        write(folder / f"{name}.key", self.key)


@dataclass(frozen=True, slots=True)
class Authority:
    """Issues certificates under its own name.

    Attributes:
        name: Its common name.
        certificate: Its own certificate, in PEM.
    """

    name: str
    certificate: bytes
    _key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def new(cls, name: str) -> Authority:
        """An authority that nobody knew before."""
        key = ec.generate_private_key(ec.SECP256R1())
        built = _builder(_subject(name), name).public_key(key.public_key())
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return cls(name, _pem(built.add_extension(_usage(signs=True), critical=True).sign(key, hashes.SHA256())), key)

    def issue(self, name: str, *, group: str = "", uses: Sequence[x509.ObjectIdentifier] = (CLIENT,), hosts: Sequence[str] = ()) -> Pair:
        """Issue a certificate and its key.

        Args:
            name: The common name; Kubernetes reads it as the user.
            group: The organization; Kubernetes reads it as the group.
            uses: `CLIENT`, `SERVER` or both.
            hosts: Addresses and names that a server is reached by.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        built = _builder(_subject(name, group), self.name).public_key(key.public_key())
        built = built.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        built = built.add_extension(_usage(signs=False), critical=True).add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        if hosts:
            built = built.add_extension(x509.SubjectAlternativeName([_host(one) for one in hosts]), critical=False)
        return Pair(_pem(built.sign(self._key, hashes.SHA256())), _private(key))


def token_keys() -> tuple[bytes, bytes]:
    """A private and a public key to sign and check service accounts' tokens with, in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _private(key), public


def write(path: Path, content: bytes) -> None:
    """Write a file that only we may read."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def _builder(subject: x509.Name, issuer: str) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(_subject(issuer))
    return built.serial_number(x509.random_serial_number()).not_valid_before(now - _SLACK).not_valid_after(now + LIFETIME)


def _subject(name: str, group: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    # Go reads PKCS#8 for every kind of key; kube-apiserver reads it for token keys, too.
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
