"""What the datapath did with a packet: the names of its counters.

Numbers and names are those of `enum verdict` in `bpf/verdict.h` (a test compares them). Names
that begin with FORWARD or ANSWER are successes, all others are drops.
"""

from __future__ import annotations

from enum import IntEnum


class Verdict(IntEnum):
    """One counter each, in packets and bytes."""

    FORWARD_ROUTED = 0, "IP delivered to a pod of this node by route"
    FORWARD_BRIDGED = 1, "frame delivered to a pod of this node by MAC"
    FORWARD_FLOODED = 2, "broadcast or multicast copied to the members of the bridge domain"
    ANSWER_ARP = 3, "ARP answered with the proxy MAC"
    ANSWER_ND = 4, "neighbour solicitation answered with the proxy MAC"
    ANSWER_ECHO = 5, "echo to a gateway address answered"
    ANSWER_TTL = 6, "time exceeded sent back"
    DROP_NO_INTERFACE = 7, "interface unknown: not plugged, or its network is gone"
    DROP_MALFORMED = 8, "headers cut short or contradicting each other"
    DROP_RPF = 9, "source is not an address of the interface"
    DROP_NO_ROUTE = 10, "no route in the VRF"
    DROP_DISCARD_ROUTE = 11, "the route says discard"
    DROP_NO_NEXT_HOP = 12, "the route names a next hop that does not exist"
    DROP_NEXT_HOP_TYPE = 13, "a next hop that cannot be used here"
    DROP_TTL = 14, "TTL ran out and no answer is due or possible"
    DROP_NOT_IP = 15, "neither IP nor ARP on an interface that only routes"
    DROP_MULTICAST = 16, "broadcast or multicast on an interface that only routes"
    DROP_ARP_OWN = 17, "ARP for the sender's own address: a probe or an announcement"
    DROP_ARP_UNKNOWN = 18, "ARP for an address that nobody has"
    DROP_ARP_OTHER = 19, "ARP that is not a request"
    DROP_ND_OWN = 20, "solicitation for the sender's own address: duplicate detection"
    DROP_ND_UNKNOWN = 21, "solicitation for an address that nobody has"
    DROP_ND_OTHER = 22, "neighbour discovery that pods have no business sending"
    DROP_ND_RA = 23, "router advertisement from a pod"
    DROP_RECEIVE = 24, "sent to a gateway address, but not an echo request"
    DROP_FDB_MISS = 25, "no such MAC in the bridge domain"
    DROP_NO_BRIDGE = 26, "bridge domain has no members"
    DROP_VLAN = 27, "VLAN tag on an interface that only routes"
    DROP_HELPER = 28, "the kernel refused to change or copy the packet"

    meaning: str

    def __new__(cls, number: int, meaning: str) -> Verdict:
        member = int.__new__(cls, number)
        member._value_ = number
        member.meaning = meaning
        return member

    @property
    def is_drop(self) -> bool:
        """Whether the packet went nowhere."""
        return self.name.startswith("DROP_")

    @staticmethod
    def of(number: int) -> Verdict:
        """The verdict of a number that the datapath gave."""
        return _BY_NUMBER[number]


_BY_NUMBER = {int(verdict): verdict for verdict in Verdict}
