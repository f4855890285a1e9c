"""Certificates and keys of a test cluster, from an authority of its own."""

import base64
import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID = datetime.timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, as PEM files."""

    certificate: Path
    key: Path

    def data(self) -> tuple[str, str]:
        """Both as in the ``…-data`` fields of a kubeconfig."""
        return encoded(self.certificate), encoded(self.key)


def encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


class Authority:
    """Signs the certificates of the cluster's parts and users."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("test-ca")
        certificate = (
            _builder(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = _written(folder / "ca.crt", certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, name: str, hosts: tuple[str, ...] = ("localhost",)) -> Pair:
        """A certificate for a server on 127.0.0.1 with the names ``hosts``."""
        names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        return self._signed(name, _name(name), ExtendedKeyUsageOID.SERVER_AUTH, x509.SubjectAlternativeName(names))

    def client(self, user: str, group: str = "") -> Pair:
        """A certificate for a user: its common name is the user's name, its organization the group."""
        return self._signed(user.replace(":", "-"), _name(user, group), ExtendedKeyUsageOID.CLIENT_AUTH)

    def trust(self) -> ssl.SSLContext:
        """A TLS context that trusts this authority alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.certificate)
        return context

    def signing_key(self) -> Path:
        """The key that signs the tokens of service accounts."""
        return _written(self._folder / "sa.key", _pem(ec.generate_private_key(ec.SECP256R1())))

    def _signed(
        self, file: str, subject: x509.Name, usage: x509.ObjectIdentifier, *more: x509.SubjectAlternativeName
    ) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(subject, self._name, key.public_key())
        for extension in (x509.ExtendedKeyUsage([usage]), *more):
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return Pair(
            _written(self._folder / f"{file}.crt", certificate.public_bytes(serialization.Encoding.PEM)),
            _written(self._folder / f"{file}.key", _pem(key)),
        )


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - VALID)
        .not_valid_after(now + VALID)
    )


def _name(common: str, organization: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path
