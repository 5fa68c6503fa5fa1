"""What a process says of itself on its socket."""

from cn2.client.health import Health, ask


async def test_live_and_ready_are_told_apart(tmp_path):
    health = Health()
    complaint = ["not yet"]
    health.live("loop", lambda: "")
    health.ready("informers", lambda: complaint[0])
    socket = tmp_path / "x.sock"

    async with health.serve(socket):
        assert await ask(socket, "/healthz") == (200, "[+]loop ok\nok\n")
        code, text = await ask(socket, "/readyz")
        assert code == 503
        assert "[-]informers failed: not yet" in text
        complaint[0] = ""
        assert (await ask(socket, "/readyz"))[0] == 200
        assert "process_resident_memory_bytes" in (await ask(socket, "/metrics"))[1]
        assert socket.stat().st_mode & 0o777 == 0o600

    assert not socket.exists()


async def test_nobody_there_is_status_0(tmp_path):
    code, why = await ask(tmp_path / "x.sock")

    assert code == 0
    assert why


async def test_the_socket_of_a_killed_process_is_replaced(tmp_path):
    socket = tmp_path / "x.sock"
    socket.touch()

    async with Health().serve(socket):
        assert (await ask(socket))[0] == 200
