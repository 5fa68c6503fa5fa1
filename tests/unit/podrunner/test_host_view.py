"""What pods see of the host, on a host that the test makes."""

from __future__ import annotations

from pathlib import Path

from cn2.podrunner.host_view import Fresh, host_view


def a_host(root: Path) -> Path:
    for path in ("usr/bin", "etc/ssh", "etc/app", "var/lib/db", "root", "data", "opt/cn2", "tmp"):
        (root / path).mkdir(parents=True)
    (root / "bin").symlink_to("usr/bin")
    (root / "swapfile").touch()
    for name, mode in (("public", 0o644), ("secret", 0o640)):
        (root / "etc/app" / name).touch()
        (root / "etc/app" / name).chmod(mode)
    (root / "var/lib/db").chmod(0o750)
    (root / "var/lib/db/pages").touch()
    return root


def test_only_directories_of_the_system_are_shown(tmp_path: Path) -> None:
    hidden = set(host_view(Path("/data/cn2"), root=a_host(tmp_path)).hide)
    assert {"/data", "/swapfile"} <= hidden
    assert not hidden & {"/usr", "/bin", "/etc", "/opt"}


def test_what_only_root_may_read_is_hidden(tmp_path: Path) -> None:
    hidden = set(host_view(Path("/data/cn2"), root=a_host(tmp_path)).hide)
    assert {"/etc/app/secret", "/etc/shadow", "/etc/ssh"} <= hidden
    assert "/etc/app/public" not in hidden


def test_a_data_directory_among_what_is_shown_is_hidden(tmp_path: Path) -> None:
    root = a_host(tmp_path)
    assert "/opt/cn2" in host_view(Path("/opt/cn2"), root=root).hide
    assert "/opt/cn2" not in host_view(Path("/data/cn2"), root=root).hide


def test_var_is_empty_but_for_its_directories(tmp_path: Path) -> None:
    fresh = {made.path: made for made in host_view(Path("/data"), root=a_host(tmp_path)).fresh}
    assert fresh["/var/lib/db"].mode == 0o750
    assert fresh["/tmp"] == Fresh("/tmp", 0o1777)
    assert list(fresh)[-3:] == ["/var", "/var/lib", "/var/lib/db"]
    assert "/home" not in fresh, "what the host does not have cannot be mounted on"
