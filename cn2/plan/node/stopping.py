"""Which plugged interfaces must be silent: only by an explicit status, never by absence."""

from __future__ import annotations

from cn2.api.v1alpha1.virtual_machine_interface import POD_UID
from cn2.plan.node import objects
from cn2.plan.node.attachment import Plugged
from cn2.plan.node.snapshot import Snapshot

SILENT = ("Pending", "Failure")
"""States of an interface, or of an address that it has, which end its traffic."""


def stopped(snapshot: Snapshot, port: Plugged) -> bool:
    """Whether a controller has said that the interface's traffic must end: its network is gone
    for good, or one of its addresses is no longer of its network.

    The interface of a later pod of the same name says nothing about this one.
    """
    uid = port.attachment.pod_uid
    vmi = snapshot.interfaces.get(port.attachment.vmi)
    if vmi is None or objects.annotation(vmi, POD_UID) != uid:
        return False
    if objects.state(vmi) in SILENT:
        return True
    mine = {address.ip for address in port.attachment.addresses}
    return any(
        objects.state(iip) in SILENT
        and objects.annotation(iip, POD_UID) in ("", uid)
        and iip["spec"].get("instanceIPAddress") in mine
        for iip in snapshot.addresses_of_interface.get(port.attachment.vmi, ())
    )
