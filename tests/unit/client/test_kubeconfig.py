"""Where the server is and who we are."""

import base64

import pytest

from cn2.client.kubeconfig import KubeconfigError, in_cluster, load

TEXT = """
current-context: here
contexts:
- {name: elsewhere, context: {cluster: x, user: y}}
- {name: here, context: {cluster: c, user: u}}
clusters:
- name: c
  cluster: {server: "https://127.0.0.1:6443/", certificate-authority-data: %s}
users:
- name: u
  user: %s
"""


def write(directory, user):
    path = directory / "kubeconfig"
    path.write_text(TEXT % (base64.b64encode(b"CA").decode(), user))
    return path


def test_the_current_context_decides(tmp_path):
    connection = load(write(tmp_path, "{token: abc}"))

    assert connection.server == "https://127.0.0.1:6443"
    assert (connection.ca, connection.token) == (b"CA", "abc")


def test_files_are_found_beside_the_kubeconfig_and_inline_data_wins(tmp_path):
    (tmp_path / "c.crt").write_bytes(b"file")
    key = base64.b64encode(b"inline").decode()
    user = f"{{client-certificate: c.crt, client-key: no.key, client-key-data: {key}}}"

    connection = load(write(tmp_path, user))

    assert (connection.certificate, connection.key) == (b"file", b"inline")


def test_credential_plugins_are_refused_by_name(tmp_path):
    with pytest.raises(KubeconfigError, match="exec"):
        load(write(tmp_path, "{exec: {command: aws}}"))


def test_a_missing_context_is_named(tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text("current-context: nowhere")

    with pytest.raises(KubeconfigError, match="nowhere"):
        load(path)


def test_another_address_keeps_the_credentials(tmp_path):
    connection = load(write(tmp_path, "{token: abc}")).at("https://10.0.0.1:1")

    assert (connection.server, connection.token) == ("https://10.0.0.1:1", "abc")


def test_a_pod_finds_its_server_by_its_service_account(tmp_path):
    (tmp_path / "ca.crt").write_bytes(b"CA")

    connection = in_cluster("fd00::1", "443", tmp_path)

    assert connection.server == "https://[fd00::1]:443"
    assert connection.token_file == tmp_path / "token"
