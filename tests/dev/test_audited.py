import json
from pathlib import Path

import pytest

from dev.audited import Report, Weakness, main, read

WEAK = {"id": "PYSEC-2026-1", "fix_versions": ["1.1"], "aliases": ["CVE-2026-0001"], "description": "x"}


def said(*rows: dict[str, object]) -> str:
    return json.dumps({"dependencies": rows, "fixes": []})


def test_a_weakness_is_read_with_what_mends_it() -> None:
    assert read(said({"name": "a", "version": "1.0", "vulns": [WEAK, WEAK]})) == Report(
        1, 0, (Weakness("a", "1.0", "PYSEC-2026-1", ("1.1",)),)
    )


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", "null"])
def test_what_says_nothing_is_no_report(text: str) -> None:
    assert read(text) is None


def test_a_weakness_fails_and_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "agent.json").write_text(said({"name": "a", "version": "1.0", "vulns": [WEAK]}))
    (tmp_path / "ui.json").write_text(said({"name": "b", "version": "2.0", "vulns": []}))
    assert main(tmp_path) == 1
    told = capsys.readouterr().out
    assert "  a 1.0: PYSEC-2026-1, mended in 1.1" in told
    assert "ui: 1 audited" in told


def test_what_cannot_be_asked_is_said_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "agent.json").write_text("")
    (tmp_path / "agent.log").write_text("Something\nNo route to host\n\n")
    (tmp_path / "ui.json").write_text(said({"name": "b", "skip_reason": "not found"}))
    assert main(tmp_path) == 0
    told = capsys.readouterr().out
    assert "agent: not audited; No route to host" in told
    assert "ui: 0 audited, of 1 the index tells nothing" in told
