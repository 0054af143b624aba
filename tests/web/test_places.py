"""Where the studio may listen, and where its workspace may lie."""

import socket

import pytest

from sfumato.cli.entry import main
from sfumato.errors import InvalidInput, Unsupported
from sfumato.web.serve import Place, check_disk, check_place, listen, share_of

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
//nas/team /mnt/my\\040team cifs rw 0 0
me@host: /home/bea/remote fuse.sshfs rw 0 0
tmpfs /home/bea/fast tmpfs rw 0 0
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.9.9.9"])
def test_this_machine_alone_needs_no_more(host):
    check_place(Place(host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "studio.example"])
def test_others_are_served_only_encrypted_or_behind_a_proxy(host, tmp_path):
    with pytest.raises(InvalidInput, match="encrypted"):
        check_place(Place(host))
    check_place(Place(host, behind_proxy=True))
    for name in ("certificate", "key"):
        (tmp_path / name).touch()
    check_place(Place(host, certificate=tmp_path / "certificate", key=tmp_path / "key"))


def test_half_of_what_tls_needs_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="both"):
        check_place(Place(certificate=tmp_path / "certificate"))
    with pytest.raises(InvalidInput, match="no file"):
        check_place(Place(certificate=tmp_path / "a", key=tmp_path / "b"))


def test_the_command_refuses_in_words(capsys, settings):
    assert main(["studio", "--host", "0.0.0.0"]) == 2
    assert "--behind-proxy" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/sfumato", ""), ("/home/bea/studio", "nfs4"), ("/home", "nfs4"), ("/homework/x", ""),
        ("/mnt/my team/studio", "cifs"), ("/home/bea/remote/x", "fuse.sshfs"), ("/home/bea/fast/x", ""),
    ],
)  # fmt: skip
def test_a_network_share_is_known_by_its_mount(path, kind):
    from pathlib import Path

    assert share_of(Path(path), MOUNTS) == kind


def test_a_workspace_on_a_share_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(Unsupported, match="network share") as refused:
        check_disk(tmp_path, f"server:/x {tmp_path.resolve()} nfs4 rw 0 0\n")
    assert "PostgreSQL" in refused.value.hint
    check_disk(tmp_path)


def test_a_taken_port_gives_the_next_one_and_says_so():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said: list[str] = []
        with listen(Place(port=port), said.append) as taken:
            assert taken.getsockname()[1] != port
        assert str(port) in said[0]


def test_any_free_port_is_taken_without_a_word():
    said: list[str] = []
    with listen(Place(port=0), said.append) as taken:
        assert taken.getsockname()[1] > 0
    assert not said
