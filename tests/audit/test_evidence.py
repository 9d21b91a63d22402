"""Bundles as files: written whole, read as a folder or a zip, and a named error for what is none."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from audit.conftest import Told, failed
from click.testing import CliRunner
from ledger_world import CANARIES, World

from fedkit.audit import verify as module
from fedkit.audit.evidence import read
from fedkit.audit.forge import forge
from fedkit.audit.report import Check, Finding, Report
from fedkit.audit.verify import TITLES, verify
from fedkit.cli.verify import verify as command
from fedkit.errors import EvidenceError, StorageError

ROOT = Path(__file__).resolve().parents[2]


def test_a_zip_of_a_bundle_is_a_bundle(bundle: Path, tmp_path: Path) -> None:
    whole = shutil.make_archive(str(tmp_path / "whole"), "zip", root_dir=bundle)
    nested = shutil.make_archive(str(tmp_path / "nested"), "zip", root_dir=bundle.parent, base_dir=bundle.name)
    assert failed(Path(whole)) == failed(Path(nested)) == set()


def test_exporting_again_replaces_the_bundle(told: Told, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    told.world.export(folder, told.request)
    (folder / "stray").write_text("of an older export")
    told.world.export(folder, told.request)
    assert failed(folder) == set()
    assert [p.name for p in tmp_path.iterdir()] == ["evidence"]


def test_a_disk_that_refuses_leaves_the_old_bundle(told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = told.world.export(tmp_path / "evidence", told.request)
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "rounds.json":
            raise OSError(28, "No space left on device")
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="cannot be written"):
        told.world.export(folder, told.request)
    monkeypatch.undo()
    assert failed(folder) == set()


def test_no_reason_is_in_a_bundle(told: Told) -> None:
    """The reason of a denial is for the researcher and the site. (The request, with its title and purpose, is in it.)"""
    held = b"".join(p.read_bytes() for p in told.bundle.rglob("*") if p.is_file())
    assert CANARIES[0].encode() in held
    assert CANARIES[2].encode() not in held


@pytest.mark.parametrize("name", ["manifest.json", "chain.json", "request.json", "decisions.json", "rounds.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b"\xff\xfe"])
def test_a_bundle_that_cannot_be_read_is_named(name: str, content: bytes, bundle: Path) -> None:
    """Unless it reads as an empty list, which is well-formed and for the checks."""
    (bundle / name).write_bytes(content)
    if content == b"[]" and name in ("decisions.json", "rounds.json"):
        assert failed(bundle) == ({1} if name == "decisions.json" else set())  # there was no history to lose
        return
    with pytest.raises(EvidenceError) as caught:
        verify(bundle)
    assert name in caught.value.message
    assert caught.value.help


def test_a_journal_cut_off_in_the_middle_of_a_row_is_named(bundle: Path) -> None:
    path = bundle / "journals/norway.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(EvidenceError, match=r"journals/norway.jsonl of the bundle cannot be read"):
        verify(bundle)


def test_a_missing_file_is_named(bundle: Path) -> None:
    (bundle / "chain.json").unlink()
    with pytest.raises(EvidenceError, match=r"chain\.json") as caught:
        read(bundle)
    assert caught.value.got == "no such file"


@pytest.mark.parametrize("make", ["nothing", "an empty folder", "a text file", "another format"])
def test_what_is_no_bundle_is_named(make: str, tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    if make == "an empty folder":
        path.mkdir()
    elif make == "a text file":
        path.write_text("hello")
    elif make == "another format":
        path.mkdir()
        (path / "manifest.json").write_text(json.dumps({"format": "fedkit evidence 99", "request": "", "files": {}}))
    with pytest.raises(EvidenceError) as caught:
        verify(path)
    assert caught.value.expected
    assert caught.value.help


def test_a_file_that_is_added_is_found(bundle: Path) -> None:
    (bundle / "more.txt").write_text("look here")
    assert failed(bundle) == {1}


def test_an_auditor_needs_neither_torch_nor_pysyft_nor_web3(told: Told) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom fedkit.audit.verify import verify\n"
        f"report = verify(Path({str(told.bundle)!r}))\n"
        "heavy = {'torch', 'syft', 'web3', 'transformers', 'duckdb'} & set(sys.modules)\n"
        "assert report.ok and not heavy, (report.verdict, heavy)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.node
def test_a_bundle_from_a_node_is_checked_as_well(node_url: str, tmp_path: Path) -> None:
    from fedkit.ledger.node import NodeChain

    chain = NodeChain(node_url, for_tests=True)
    world = World(tmp_path / "world", chain=chain)
    bundle = world.export(tmp_path / "evidence", world.study())
    for journal in world.journals.values():
        journal.close()
    report = verify(bundle)
    assert report.ok, str(report)
    assert (report.checks[13].result, report.ok) == ("not run", True)
    assert report.verdict == f"clean: {len(report.checks) - 1} of {len(report.checks)} checks passed; not run: 14"
    assert "node's" in report.checks[13].note
    forge(bundle, "decision")
    assert failed(bundle) >= {2, 4, 6, 11}


# -- the command


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(command, [str(a) for a in arguments])
    return result.exit_code, result.output


def test_the_command_says_by_its_exit_status_what_it_found(bundle: Path, tmp_path: Path) -> None:
    status, text = run(bundle)
    assert status == 0
    assert f"clean: {len(TITLES)} of {len(TITLES)} checks passed" in text
    forge(bundle, "journal-row")
    status, text = run(bundle)
    assert status == 1
    assert "NOT clean" in text
    status, text = run(tmp_path / "nowhere")
    assert status == 2
    assert "to do: give the folder evidence/" in text


def test_the_command_takes_the_head_that_it_printed(bundle: Path) -> None:
    head = verify(bundle).head
    assert f"head {head}" in run(bundle)[1]
    assert run(bundle, "--pin", head)[0] == 0
    assert run(bundle, "--pin", "7:0x" + "00" * 32)[0] == 1


def test_the_command_takes_the_keys_that_sites_told(told: Told, bundle: Path) -> None:
    key = told.world.keys.address("site-norway")
    assert run(bundle, "--key", f"norway={key}")[0] == 0
    status, text = run(bundle, "--key", f"norway={'0x' + '11' * 20}")
    assert status == 1
    assert "signs with" in text
    for wrong in ("norway", f"={key}", f"norway={key[:-1]}", f"norway={key}zz"):
        status, text = run(bundle, "--key", wrong)
        assert status == 2
        assert "give SITE=0x" in text


def test_the_command_prints_json_and_a_page(bundle: Path, tmp_path: Path) -> None:
    status, text = run(bundle, "--json", "--html", tmp_path / "audit.html")
    assert status == 0
    assert json.loads(text) == verify(bundle).to_json()
    page = (tmp_path / "audit.html").read_text()
    assert all(title.partition(":")[0] in page for title in TITLES.values())
    assert "<script" not in page
    assert "http" not in page.replace('http-equiv="', "")


def test_a_page_shows_foreign_words_as_words() -> None:
    """Names in a bundle come from strangers."""
    evil = "<script>alert(1)</script>"
    report = Report(evil, "", evil, (Check(1, evil, (Finding(evil, evil, evil),), evil),))
    assert "<script" not in report.to_html() + report.to_page()
    assert not report.ok


def test_the_numbers_are_the_same_in_the_docs() -> None:
    text = (ROOT / "docs" / "audit.md").read_text("utf-8")
    for number, title in TITLES.items():
        assert f"{number}. **{title.partition(':')[0]}**" in text


def test_the_numbers_are_the_same_in_the_code() -> None:
    """Each step of `verify` says which checks it makes, and each check says its number first."""
    source = inspect.getsource(module.verify)
    said = {int(n) for comment in re.findall(r"# ([\d, to]+)", source) for n in expanded(comment)}
    assert said == set(TITLES)
    functions = [f for _, f in inspect.getmembers(module, inspect.isfunction) if f.__name__.startswith(("check_", "read_j"))]
    for function in functions:
        numbers = re.findall(r"\b(\d+)\b", (function.__doc__ or "").partition(": ")[0])
        assert numbers, function.__name__
        assert {int(n) for n in numbers} <= set(TITLES)
    sources = "".join((Path(str(module.__file__)).parent / f"{name}.py").read_text("utf-8") for name in VERIFIER)
    assert {int(n) for n in re.findall(r"(?:found\[|find\()(\d+)", sources)} == set(TITLES)


def expanded(text: str) -> list[str]:
    """The numbers of "3, 5 to 8"."""
    numbers: list[str] = []
    for part in text.split(","):
        first, _, last = part.strip().partition(" to ")
        if first.isdigit():
            numbers += map(str, range(int(first), int(last or first) + 1))
    return numbers


def test_the_numbers_are_the_same_in_every_form_of_the_report(bundle: Path) -> None:
    report = verify(bundle)
    page, fragment, text = report.to_page(), report.to_html(), str(report)
    assert [check["number"] for check in report.to_json()["checks"]] == list(TITLES)
    for number, title in TITLES.items():
        name = title.partition(":")[0]
        assert re.search(rf"^ *{number}  .*{name}", text, re.MULTILINE)
        for shown in (page, fragment):
            assert re.search(rf">{number}<.*?{name}", shown, re.DOTALL)


#: What `verify` reaches in fedkit.audit: what somebody reads who will not take its word either.
VERIFIER = (
    *("verify", "evidence", "bundle", "acts", "deployments", "roles", "budgets", "rules"),
    *("journals", "proofs", "agreement", "approvals", "questions", "averages", "small_updates", "witnesses", "report"),
)


def test_the_verifier_can_be_read_in_one_sitting() -> None:
    """An afternoon: a hundred statements a check and no more, in modules of a few pages each."""
    folder = Path(str(module.__file__)).parent
    sources = {name: (folder / f"{name}.py").read_text("utf-8") for name in VERIFIER}
    assert sum(isinstance(node, ast.stmt) for text in sources.values() for node in ast.walk(ast.parse(text))) < 100 * 18
    assert max(len(text.splitlines()) for text in sources.values()) < 300


def test_the_verifier_reaches_no_other_module_of_the_audit() -> None:
    script = "import sys, fedkit.audit.verify; print(*sorted(n for n in sys.modules if n.startswith('fedkit.audit.')))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert {name.rpartition(".")[2] for name in done.stdout.split()} == set(VERIFIER)
