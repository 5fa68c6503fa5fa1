import hashlib
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cn2.podrunner.streaming.spdy import (
    Data,
    Framer,
    GoAway,
    Opened,
    Ping,
    Reset,
    SpdyError,
)
from cn2.podrunner.streaming.spdy_dictionary import DICTIONARY


def test_the_dictionary_is_that_of_the_draft():
    assert len(DICTIONARY) == 1423
    digest = "51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02"
    assert hashlib.sha256(DICTIONARY).hexdigest() == digest


def test_streams_are_opened_with_their_headers_in_lower_case():
    client, server = Framer(), Framer()
    frames = client.open(1, {"streamType": "data", "port": "80"})
    assert server.receive(frames) == [Opened(1, {"streamtype": "data", "port": "80"}, False)]


def test_compression_goes_on_from_frame_to_frame():
    client, server = Framer(), Framer()
    first, second = client.open(1, {"streamType": "error"}), client.open(3, {"streamType": "error"})
    assert len(second) < len(first)
    assert [event.stream for event in server.receive(first + second)] == [1, 3]


def test_a_reply_moves_the_compression_of_the_other_side():
    client, server = Framer(), Framer()
    assert client.receive(server.reply(1) + server.reply(3, {"a": "b"})) == []
    assert client.receive(server.open(2, {"a": "b"})) == [Opened(2, {"a": "b"}, False)]


def test_every_kind_of_frame():
    one, other = Framer(), Framer()
    frames = one.data(1, b"x", fin=True) + one.reset(3, 5) + one.ping(7) + one.goaway(9, 1)
    assert other.receive(frames) == [Data(1, b"x", True), Reset(3, 5), Ping(7), GoAway(1)]


def test_the_end_of_a_stream_needs_no_bytes():
    assert Framer().receive(Framer().data(1, b"", fin=True)) == [Data(1, b"", True)]


def test_large_data_is_cut_into_frames_and_only_the_last_ends():
    data = bytes(100_000)
    events = Framer().receive(Framer().data(1, data, fin=True))
    assert b"".join(event.data for event in events) == data
    assert [event.fin for event in events] == [False] * (len(events) - 1) + [True]


@given(st.lists(st.binary(max_size=50), max_size=5), st.integers(1, 20))
def test_frames_may_arrive_in_any_pieces(chunks, size):
    stream = b"".join(Framer().data(1, chunk) for chunk in chunks) + Framer().ping(1)
    framer, events = Framer(), []
    for start in range(0, len(stream), size):
        events += framer.receive(stream[start : start + size])
    assert [event.data for event in events[:-1]] == chunks
    assert events[-1] == Ping(1)


def test_settings_and_window_updates_are_passed_over():
    settings = struct.pack(">HHI", 0x8003, 4, 4) + bytes(4)
    window = struct.pack(">HHI", 0x8003, 9, 8) + bytes(8)
    assert Framer().receive(settings + window + Framer().ping(1)) == [Ping(1)]


def control(kind, body, version=3):
    return struct.pack(">HHI", 0x8000 | version, kind, len(body)) + body


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(control(6, bytes(4), version=2), id="another version"),
        pytest.param(control(6, b"x"), id="too short"),
        pytest.param(control(1, bytes(10) + b"nonsense"), id="no zlib"),
        pytest.param(struct.pack(">HHI", 0x8003, 1, 0xFFFFFF), id="too long"),
    ],
)
def test_what_is_not_spdy_is_refused(frame):
    with pytest.raises(SpdyError):
        Framer().receive(frame)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(struct.pack(">I", 1) + struct.pack(">I", 99) + b"x", id="a cut name"),
        pytest.param(bytes(1 << 20), id="a bomb"),
    ],
)
def test_bad_header_blocks_are_refused(block):
    deflate = zlib.compressobj(zdict=DICTIONARY)
    compressed = deflate.compress(block) + deflate.flush(zlib.Z_SYNC_FLUSH)
    with pytest.raises(SpdyError):
        Framer().receive(control(1, bytes(10) + compressed))
