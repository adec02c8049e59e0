"""Programs that gain privileges are recognised before they are started."""

import os
import shutil
import sys

import pytest

from provgraph.capture.privileged import may_filter_without_no_new_privs, reason


def test_ordinary_programs():
    for program in (sys.executable, "/bin/sh", "true", "/nonexistent/x", "with\0nul"):
        assert reason(program) is None


def test_containers_and_configured_names_hold_for_everybody():
    assert reason("/usr/bin/podman") == "podman starts containers"
    assert reason("/x/mine", {"mine"}) == "mine is configured not to be supervised"


def reasons(*programs):
    """As an ordinary user sees it."""
    if os.geteuid() != 0:
        return [str(reason(str(program))) for program in programs]
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            os.write(writing, "\n".join(str(reason(str(program))) for program in programs).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        lines = said.read().splitlines()
    os.waitpid(pid, 0)
    return lines


def test_names_of_the_list():
    assert reasons("/usr/bin/sudo", "pkexec") == ["sudo changes privileges", "pkexec changes privileges"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make such programs")
def test_setuid_setgid_and_file_capabilities(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bin")
    for parent in [folder, *(p for p in folder.parents if p.name.startswith(("pytest-", "popen-")))]:
        parent.chmod(0o755)
    programs = {}
    for name, mode in {
        "plain": 0o755,
        "asuser": 0o4755,
        "asgroup": 0o2755,
        "locking": 0o2745,
        "capable": 0o755,
    }.items():
        programs[name] = folder / name
        shutil.copy("/bin/true", programs[name])
        programs[name].chmod(mode)
    # version 2 of the attribute: one permitted capability, net_bind_service
    os.setxattr(
        programs["capable"], "security.capability", bytes.fromhex("01000002 00040000 00000000 00000000 00000000")
    )
    assert reasons(*programs.values()) == [
        "None",
        "asuser is setuid",
        "asgroup is setgid",
        "None",
        "capable has file capabilities",
    ]
    if may_filter_without_no_new_privs():
        assert reason(str(programs["asuser"])) is None
