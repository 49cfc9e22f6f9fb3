import re
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contract.version import VERSION
from tests.server.conftest import ROOT, Environ, Run, chosen_database


def test_migrate_says_who_it_serves_and_is_private(run: Run, state: Path) -> None:
    again = run("migrate")
    assert again.returncode == 0
    assert "Ready for Acme (acme)" in again.stdout
    assert run("root-fingerprint").stdout.strip() in again.stdout
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    for name in ("server.sqlite3", "secret_key", "tenant.json"):
        if name == "server.sqlite3" and chosen_database() == "postgresql":
            continue
        assert stat.S_IMODE((state / name).stat().st_mode) == 0o600


def test_help_tells_every_command_and_exit_code_without_a_state(run: Run) -> None:
    told = run("--help", folder=None)
    assert told.returncode == 0
    for word in (
        "run",
        "migrate",
        "create-admin",
        "login-link",
        "policy",
        "enrol-secret",
        "root-fingerprint",
    ):
        assert word in told.stdout
    assert "Exit codes: 0 done; 1 refused" in told.stdout


def test_it_tells_its_version(run: Run) -> None:
    assert run("--version", folder=None).stdout.strip() == f"decorum-server {VERSION}"


@pytest.mark.parametrize(
    ("package", "words"), [("django", ("migrate",)), ("granian", ("run",)), ("unfold", ("migrate",))]
)
def test_a_server_installed_without_its_extra_says_so(
    package: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; from server.cli import main; sys.exit(main(sys.argv[1:]))"
    told = subprocess.run(
        [sys.executable, "-c", program, "--state", str(tmp_path / "state"), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 1
    assert told.stderr == (
        f"decorum-server: The server is not set up: The package {package} is missing. "
        "Install Decorum again with its server (the extra server).\n"
    )


@pytest.mark.parametrize(
    "words", [(), ("nonsense",), ("policy",), ("policy", "apply"), ("run", "--workers", "x")]
)
def test_wrong_usage_is_two(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).returncode == 2


def test_a_policy_goes_from_model_to_list(run: Run, tmp_path: Path) -> None:
    text = run("policy", "template", "restrict").stdout
    assert 'company = "Acme"' in text
    file = tmp_path / "policy.toml"
    file.write_text(text, encoding="utf-8")
    assert "valid" in run("policy", "check", str(file)).stdout
    first, second = run("policy", "apply", str(file)), run("policy", "apply", "-", given=text)
    assert (first.returncode, second.returncode) == (0, 0)
    assert "Policy number 1 is published" in first.stdout
    assert "nothing was published" in second.stdout
    assert run("policy", "list").stdout.count("\n") == 1


def test_a_wrong_policy_is_refused_by_its_path(run: Run) -> None:
    text = run("policy", "template", "ban").stdout.replace('stance = "approved"', 'stance = "maybe"')
    for action in ("check", "apply"):
        refused = run("policy", action, "-", given=text)
        assert refused.returncode == 1
        assert "$.channels[0].stance" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_keys_are_listed_and_changed(run: Run) -> None:
    before = run("keys", "list").stdout.splitlines()
    assert [line.split()[0] for line in before] == ["catalogue", "policy", "server"]
    text = run("policy", "template", "ban").stdout
    number = re.search(r"Policy number (\d+)", run("policy", "apply", "-", given=text).stdout)
    assert number is not None
    changed = run("keys", "rotate", "policy")
    assert changed.returncode == 0, changed.stderr
    assert f"was sealed with it, as number {int(number[1]) + 1}" in changed.stdout
    after = run("keys", "list").stdout.splitlines()
    changed_now = [new.split()[1] != old.split()[1] for new, old in zip(after, before, strict=True)]
    assert changed_now == [False, True, False]
    assert all(line.endswith("in use") for line in after)
    assert run("keys", "rotate", "root").returncode == 2


def test_people_and_their_links(run: Run) -> None:
    assert "is an administrator now" in run("create-admin", "alice").stdout
    assert "nothing was changed" in run("create-admin", "alice").stdout
    weak = run("create-admin", "alice", "--password-stdin", given="password\n")
    assert (weak.returncode, "Traceback" in weak.stderr) == (1, False)
    changed = run("create-admin", "alice", "--password-stdin", given="correct horse battery\n")
    assert "new password" in changed.stdout
    link = run("login-link", "alice", "--base-url", "http://localhost:9/").stdout.strip()
    assert link.startswith("http://localhost:9/login/once/")
    nobody = run("login-link", "nobody")
    assert (nobody.returncode, "create-admin" in nobody.stderr) == (1, True)


def test_a_secret_is_one_word_on_standard_output(run: Run) -> None:
    assert run("enrol-secret", "--uses", "3").stdout.strip().startswith("acme.")
    for wrong in (("--uses", "0"), ("--days", "1000")):
        assert run("enrol-secret", *wrong).returncode == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "--address", "nonsense"), "host:port"),
        (("run", "--address", "127.0.0.1:0"), "host:port"),
        (("run", "--address", "192.0.2.1:8420"), "Nothing can listen"),
        (("run", "--workers", "0"), "workers"),
        (("policy", "apply", "/nonexistent.toml"), "cannot be read"),
        (("policy", "template", "anarchy"), "ban, restrict"),
        (("migrate", "--tenant", "other"), "serves Acme"),
    ],
)
def test_what_cannot_be_done_is_said_with_a_remedy(run: Run, words: tuple[str, ...], said: str) -> None:
    refused = run(*words)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert refused.stderr.startswith("decorum-server: ")
    assert "Traceback" not in refused.stderr


def test_without_a_state_folder_nothing_is_done(run: Run) -> None:
    refused = run("run", folder=None)
    assert (refused.returncode, "DECORUM_SERVER_STATE" in refused.stderr) == (1, True)


def test_before_migrate_every_command_says_so(run: Run, tmp_path: Path) -> None:
    for words in (
        ("run",),
        ("policy", "list"),
        ("enrol-secret",),
        ("root-fingerprint",),
        ("create-admin", "x"),
    ):
        refused = run(*words, folder=tmp_path)
        assert (refused.returncode, "decorum-server migrate" in refused.stderr) == (1, True), words
    assert list(tmp_path.iterdir()) == []


def test_two_that_set_up_at_once_make_one_server(
    run: Run, tmp_path: Path, new_database: Callable[[], Environ]
) -> None:
    folder, environ = tmp_path / "state", new_database()
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: run("migrate", folder=folder, environ=environ), range(3)))
    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 3
    assert len({one.stdout for one in done}) == 1


def test_keys_that_the_records_do_not_know_are_refused(
    run: Run, tmp_path: Path, new_database: Callable[[], Environ]
) -> None:
    folder, environ = tmp_path / "state", new_database()
    assert run("migrate", folder=folder, environ=environ).returncode == 0
    other = tmp_path / "other"
    assert run("migrate", folder=other, environ=new_database()).returncode == 0
    for name in ("tenant.json", "keys"):
        (folder / name).rename(tmp_path / name)
        (other / name).rename(folder / name)
    for words in (("migrate",), ("policy", "list")):
        refused = run(*words, folder=folder, environ=environ)
        assert (refused.returncode, "belongs to the server with root" in refused.stderr) == (1, True)
        assert "Traceback" not in refused.stderr


@pytest.mark.only_sqlite
def test_a_damaged_database_is_said_so_and_left_alone(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert run("migrate", folder=folder).returncode == 0
    (folder / "server.sqlite3").write_bytes(b"not a database" * 100)
    refused = run("policy", "list", folder=folder)
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert (folder / "server.sqlite3").read_bytes() == b"not a database" * 100
