"""One leads; the others wait until it gives up or falls silent."""

import pytest
from kube_server import serving, status

from cn2.api.kinds import LEASE
from cn2.client.leader import Leader, LeadershipLost


class Seconds:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def leader(client, identity, clock):
    return Leader(client, "lease", "ns", identity, clock=clock, period=0.001)


async def test_the_first_takes_it_and_renews_it():
    async with serving() as (kube, client):
        one = leader(client, "one", Seconds())

        assert await one.attempt()
        assert await one.attempt()

        spec = kube.get(LEASE, "lease", "ns")["spec"]
        assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("one", 0)


async def test_another_takes_over_only_after_a_whole_duration_of_silence():
    async with serving() as (kube, client):
        clock = Seconds()
        one, two = leader(client, "one", clock), leader(client, "two", clock)
        await one.attempt()

        assert not await two.attempt()
        clock.now = 14
        assert not await two.attempt()
        clock.now = 15
        assert await two.attempt()

        spec = kube.get(LEASE, "lease", "ns")["spec"]
        assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("two", 1)
        assert not await one.attempt()
        assert not one.leading


async def test_a_renewal_starts_the_silence_anew():
    async with serving() as (_, client):
        clock = Seconds()
        one, two = leader(client, "one", clock), leader(client, "two", clock)
        await one.attempt()
        await two.attempt()
        clock.now = 14
        await one.attempt()
        await two.attempt()
        clock.now = 20

        assert not await two.attempt()


async def test_released_it_is_free_at_once():
    async with serving() as (_, client):
        clock = Seconds()
        one, two = leader(client, "one", clock), leader(client, "two", clock)
        await one.attempt()
        await one.release()

        assert await two.attempt()


async def test_a_leader_that_cannot_renew_in_time_says_so():
    async with serving() as (kube, client):
        clock = Seconds()
        one = leader(client, "one", clock)
        await one.attempt()

        def forbid():
            clock.now += 6
            return status(403, "Forbidden", "no")

        class Endless(list):
            def pop(self, index=-1):
                return forbid()

            def __bool__(self):
                return True

        kube.failures = Endless()

        with pytest.raises(LeadershipLost):
            await one.hold()
        assert not one.leading
