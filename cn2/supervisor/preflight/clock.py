"""Whether the clock fits the keys that a system has from before."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

from cn2.supervisor.preflight.finding import Finding


def findings(pki: Path, now: datetime.datetime) -> Iterator[Finding]:
    """Whether the CA's certificate is valid now. Leaves are made anew when they are not."""
    path = pki / "ca.crt"
    try:
        data = path.read_bytes()
    except OSError:
        return
    from cryptography import x509  # the first `up` has no certificate and does without it

    try:
        certificate = x509.load_pem_x509_certificate(data)
    except ValueError:
        yield Finding(
            f"{path} is damaged",
            "restore it from a backup, or delete the system with cn2 down --purge",
        )
        return
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begins:
        yield Finding(
            f"The clock says {now:%Y-%m-%d %H:%M} UTC, but this system's keys begin at "
            f"{begins:%Y-%m-%d %H:%M}",
            "set the clock",
        )
    elif now > ends:
        yield Finding(
            f"The clock says {now:%Y-%m-%d}, and this system's keys ended at {ends:%Y-%m-%d}",
            f"set the clock if it is wrong, otherwise delete {pki}: up makes new keys",
        )
