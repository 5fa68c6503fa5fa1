"""Keys and certificates of one system: a CA, the API server's certificate, one per client.

Strict X.509 (key usage, extended key usage, subject and authority key identifiers), because
Python 3.13 and Go verify strictly. Everything is readable by its owner alone.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cn2.supervisor.layout import Layout, write_private

_CA_LIFE = datetime.timedelta(days=3650)
_LEAF_LIFE = datetime.timedelta(days=365)
_RENEW_BEFORE = datetime.timedelta(days=60)
_BACKDATED = datetime.timedelta(days=1)
"""Certificates begin a day ago, so that a clock that is set back does not lock everybody out."""


def _new_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    write_private(
        path,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    return key


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _name(common_name: str, organization: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organization:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(attributes)


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


class Authority:
    """The CA of one system, and what it signs. Times are UTC."""

    def __init__(self, layout: Layout, now: datetime.datetime) -> None:
        self._pki = layout.pki
        self._now = now
        self.certificate_path = self._pki / "ca.crt"
        key_path = self._pki / "ca.key"
        if key_path.exists() and self.certificate_path.exists():
            self._key = _load_key(key_path)
            self._certificate = x509.load_pem_x509_certificate(self.certificate_path.read_bytes())
        else:
            self._key = _new_key(key_path)
            self._certificate = self._self_signed()
            write_private(
                self.certificate_path,
                self._certificate.public_bytes(serialization.Encoding.PEM),
            )

    def _self_signed(self) -> x509.Certificate:
        subject = _name("cn2-ca")
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - _BACKDATED)
            .not_valid_after(self._now + _CA_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(authority=True), critical=True)
            .add_extension(identifier, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )

    def _current(self, path: Path, names: x509.SubjectAlternativeName | None) -> bool:
        """Is there a certificate of ours at this path that will do for a while?"""
        if not path.exists() or not path.with_suffix(".key").exists():
            return False
        found = x509.load_pem_x509_certificate(path.read_bytes())
        if found.issuer != self._certificate.subject:
            return False
        if found.not_valid_after_utc - _RENEW_BEFORE < self._now:
            return False
        if names is None:
            return True
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return extension.value == names

    def _issue(
        self,
        stem: str,
        subject: x509.Name,
        usage: x509.ObjectIdentifier,
        names: x509.SubjectAlternativeName | None = None,
    ) -> tuple[Path, Path]:
        path, key_path = self._pki / f"{stem}.crt", self._pki / f"{stem}.key"
        if self._current(path, names):
            return path, key_path
        key = _new_key(key_path)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - _BACKDATED)
            .not_valid_after(self._now + _LEAF_LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        write_private(path, certificate.public_bytes(serialization.Encoding.PEM))
        return path, key_path

    def server(self, stem: str, hosts: list[str]) -> tuple[Path, Path]:
        """A serving certificate for these names and addresses: (certificate, key)."""
        names: list[x509.GeneralName] = []
        for host in hosts:
            try:
                names.append(x509.IPAddress(ipaddress.ip_address(host)))
            except ValueError:
                names.append(x509.DNSName(host))
        return self._issue(
            stem,
            _name("kube-apiserver"),
            ExtendedKeyUsageOID.SERVER_AUTH,
            x509.SubjectAlternativeName(names),
        )

    def client(self, user: str, group: str) -> tuple[Path, Path]:
        """A client certificate: the user is its CN, the group its O (as in Kubernetes)."""
        stem = "client-" + user.replace(":", "-")
        return self._issue(stem, _name(user, group), ExtendedKeyUsageOID.CLIENT_AUTH)

    def signing_key(self, stem: str) -> Path:
        """A private key that signs tokens."""
        path = self._pki / f"{stem}.key"
        if not path.exists():
            _new_key(path)
        return path

    def kubeconfig(self, path: Path, *, server: str, user: str, group: str, cluster: str) -> None:
        """Write a kubeconfig with everything embedded, so that the one file is enough."""
        certificate, key = self.client(user, group)
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": cluster,
                    "cluster": {
                        "server": server,
                        "certificate-authority-data": _embedded(self.certificate_path),
                    },
                }
            ],
            "users": [
                {
                    "name": user,
                    "user": {
                        "client-certificate-data": _embedded(certificate),
                        "client-key-data": _embedded(key),
                    },
                }
            ],
            "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
            "current-context": cluster,
            "preferences": {},
        }
        write_private(path, yaml.safe_dump(document, sort_keys=False).encode())


def _embedded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
