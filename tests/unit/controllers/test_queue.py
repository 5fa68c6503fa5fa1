"""Each key at most once in the queue and at most once in work; failures wait alone."""

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from virtual_clock import VirtualClock

from cn2.client.errors import Unavailable
from cn2.client.loop import Controller
from cn2.client.queue import WorkQueue


def take(queue):
    """The next key, without waiting."""
    coroutine = queue.get()
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("the queue is empty")


def test_a_key_added_twice_is_handed_out_once():
    queue = WorkQueue()
    queue.add("a")
    queue.add("a")
    queue.add("b")

    assert [take(queue), take(queue)] == ["a", "b"]
    assert len(queue) == 0


def test_a_key_added_in_work_waits_for_its_end():
    queue = WorkQueue()
    queue.add("a")
    take(queue)
    queue.add("a")
    assert len(queue) == 0

    queue.done("a")

    assert take(queue) == "a"


def test_a_failing_key_waits_twice_as_long_each_time_up_to_the_limit():
    clock = VirtualClock()
    queue = WorkQueue(first=0.005, limit=60, clock=clock)
    delays = []
    for _ in range(20):
        delays.append(queue.retry("bad"))
        clock.advance(delays[-1])
        take(queue)
        queue.done("bad")

    assert delays[:4] == [0.005, 0.01, 0.02, 0.04]
    assert delays[-1] == 60


async def test_nobody_waits_long_for_a_server_that_is_back():
    """However long it was away; what the key itself is to blame for waits up to a minute."""

    async def refuse(key):
        raise {"away": Unavailable(0, "Unreachable", ""), "full": Unavailable(507, "", "")}.get(
            key[1], Unavailable(500, "InternalError", "")
        )

    clock = VirtualClock()
    controller = Controller("test", refuse, clock=clock)
    keys = [("", "away"), ("", "full"), ("", "bug")]
    for _ in range(20):
        for key in keys:
            await controller.once(key)
        clock.advance(3)
        again = {take(controller.queue) for _ in range(len(controller.queue))}
        for key in again:
            controller.queue.done(key)

    assert again == {("", "away"), ("", "full")}


def test_others_go_on_while_a_key_waits():
    clock = VirtualClock()
    queue = WorkQueue(clock=clock)
    queue.retry("bad")
    queue.add("good")

    assert take(queue) == "good"
    assert len(queue) == 0


def test_a_change_does_not_wait_for_the_backoff():
    clock = VirtualClock()
    queue = WorkQueue(clock=clock)
    queue.add_after("a", 60)
    queue.add("a")
    assert take(queue) == "a"
    queue.done("a")

    clock.advance(61)

    assert len(queue) == 0


def test_of_two_delays_the_earlier_counts():
    clock = VirtualClock()
    queue = WorkQueue(clock=clock)
    queue.add_after("a", 60)
    queue.add_after("a", 5)
    queue.add_after("a", 30)

    clock.advance(5)
    assert take(queue) == "a"
    queue.done("a")
    clock.advance(100)

    assert len(queue) == 0


def test_success_forgets_the_failures():
    queue = WorkQueue(clock=VirtualClock())
    queue.retry("a")
    queue.retry("a")
    queue.forget("a")

    assert queue.retry("a") == 0.005


async def test_waiting_workers_get_one_key_each():
    queue = WorkQueue()
    workers = [asyncio.create_task(queue.get()) for _ in range(2)]
    await asyncio.sleep(0)
    queue.add("a")
    queue.add("b")

    assert sorted(await asyncio.gather(*workers)) == ["a", "b"]


async def test_a_wake_up_given_to_a_cancelled_worker_is_not_lost():
    queue = WorkQueue()
    first, second = (asyncio.create_task(queue.get()) for _ in range(2))
    await asyncio.sleep(0)
    queue.add("a")
    first.cancel()

    assert await second == "a"


class QueueMachine(RuleBasedStateMachine):
    """Whatever is done in whatever order: nothing added is lost, nothing is worked on twice."""

    keys = st.sampled_from("abc")

    def __init__(self):
        super().__init__()
        self.clock = VirtualClock()
        self.queue = WorkQueue(clock=self.clock)
        self.owed = set()
        self.working = set()

    @rule(key=keys)
    def add(self, key):
        self.queue.add(key)
        self.owed.add(key)

    @rule(key=keys)
    def retry(self, key):
        self.queue.retry(key)

    @rule()
    def time_passes(self):
        self.clock.advance(100)
        self.owed |= self.queue._dirty

    @precondition(lambda self: len(self.queue))
    @rule()
    def get(self):
        key = take(self.queue)
        assert key not in self.working
        self.working.add(key)
        self.owed.discard(key)

    @rule(key=keys)
    def done(self, key):
        if key in self.working:
            self.working.discard(key)
            self.queue.done(key)

    @invariant()
    def what_is_owed_waits_or_follows_the_work(self):
        assert self.owed == self.queue._dirty
        assert len(self.queue) == len(self.owed - self.working)


QueueMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestQueueMachine = QueueMachine.TestCase
