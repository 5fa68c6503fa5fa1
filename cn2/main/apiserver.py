"""`cn2 apiserver`: the API over a store."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import socket
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cn2.api.kinds import KINDS
from cn2.apiserver import bootstrap, listeners, migration
from cn2.apiserver.backend import Backend
from cn2.apiserver.front import Front, server_tls
from cn2.apiserver.kernel import Kernel
from cn2.apiserver.nodes import NodeSockets
from cn2.apiserver.tokens import Tokens
from cn2.client.health import Health
from cn2.main import process
from cn2.store.sqlite import open_store

log = structlog.get_logger(__name__)


def main(argv: list[str]) -> int:
    parser = process.arguments("apiserver", "The Kubernetes API over a store.", client=False)
    parser.add_argument("--data-dir", type=Path, required=True, help="where the store lies")
    parser.add_argument("--listen", type=listeners.address, default=("127.0.0.1", 6443))
    parser.add_argument("--fabric-netns", type=Path, help="namespace of the second socket")
    parser.add_argument("--fabric-address", type=listeners.address, help="its host:port")
    parser.add_argument("--pki", type=Path, required=True, help="certificates and signing key")
    parser.add_argument("--nodes-dir", type=Path, required=True, help="the nodes' sockets")
    parser.add_argument("--cluster-name", required=True)
    parser.add_argument("--service-cidr", type=ipaddress.ip_network, default="10.96.0.0/12")
    options = parser.parse_args(argv)
    return process.run("apiserver", options, lambda health: serve(options, health))


async def serve(options: Namespace, health: Health) -> None:
    """Serves until it is cancelled."""
    store = await open_store(options.data_dir, migration.KNOWN)
    try:
        health.live("store", lambda: store.broken)
        sockets = await _sockets(options)
        backend = Backend(store=store, service_cidr=options.service_cidr)
        await migration.run(backend)
        health.page("refused", lambda: _refused(backend))
        # The last socket is the one that pods and agents reach.
        await bootstrap.ensure(backend, sockets[-1].getsockname()[1])
        address = "{}:{}".format(*sockets[0].getsockname()[:2])
        tokens = Tokens(_signing_key(options.pki / "sa.key"), lambda: datetime.now(UTC))
        kernel = Kernel(
            backend,
            tokens,
            NodeSockets(options.nodes_dir),
            KINDS,
            address=address,
            checks={"store": lambda: store.broken},
        )
        front = Front(kernel)
        health.ready("serving", lambda: "" if front.listening else "not listening yet")
        await _run(front, sockets, options.pki, address)
    finally:
        await store.close()


async def _refused(backend: Backend) -> list[str]:
    return [str(found) for found in migration.refused(backend)]


async def _sockets(options: Namespace) -> list[socket.socket]:
    bound = [listeners.bind(*options.listen)]
    if options.fabric_netns and options.fabric_address:
        bound.append(await listeners.bind_in(options.fabric_netns, *options.fabric_address))
    return bound


async def _run(front: Front, sockets: list[socket.socket], pki: Path, address: str) -> None:
    tls = server_tls(pki / "apiserver.crt", pki / "apiserver.key", pki / "ca.crt")
    try:
        for sock in sockets:
            await front.listen(sock, tls)
        # What start-up made lives for ever: no collection need walk it again.
        gc.freeze()
        log.info("serving", address=address)
        await asyncio.Event().wait()
    finally:
        await front.close()


def _signing_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} is not an elliptic curve key")
    return key
