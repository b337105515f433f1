"""Documents are checked like code: what can be typed, read or set is described, and what is described exists."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from benchmarks import readme_table
from docs import make_reference
from tests.cli import small_store
from thetabulk import errors, state
from thetabulk.cli.app import COMMANDS
from thetabulk.config import settings
from thetabulk.events import Event
from thetabulk.report import summary
from thetabulk.report.jsonl import event_name

ROOT = Path(__file__).parent.parent
COMMANDS_MD = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
LEAVES = make_reference.leaves()
CODE_BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
_AGAIN = "`python docs/make_reference.py` writes its table anew"
_CODES = {*range(12), 129, 130, 141, 143}


def section(command: str) -> str:
    """What docs/commands.md says about a command."""
    heading = re.search(rf"^###? thetabulk {command}$", COMMANDS_MD, re.MULTILINE)
    assert heading, f"docs/commands.md has no section `thetabulk {command}`"
    after = COMMANDS_MD[heading.end() :]
    end = re.search(r"^###? ", after, re.MULTILINE)
    return after[: end.start()] if end else after


def row(text: str, first: str) -> str:
    """The line of a table that begins with this cell."""
    return next((line for line in text.splitlines() if line.startswith(f"| {first} |")), "")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("command", sorted(LEAVES))
def test_every_command_is_described_with_all_its_options(command: str) -> None:
    """Nothing can be typed that docs/commands.md does not name."""
    text = section(command)
    missing = [flag for flag in make_reference.flags(LEAVES[command]) if f"`{flag}" not in text]
    assert set(missing) <= {"-h", "--help"}, f"{missing} of thetabulk {command}: {_AGAIN}"


@pytest.mark.parametrize("command", sorted(LEAVES))
def test_no_option_is_described_that_there_is_not(command: str) -> None:
    """An option that was removed leaves the document too."""
    cells = re.findall(r"^\| (`-.*?`) \| ", section(command), re.MULTILINE)
    typed = {word.split(" ")[0] for cell in cells for word in re.findall(r"`(-[^`]+)`", cell)}
    assert typed <= set(make_reference.flags(LEAVES[command])), _AGAIN


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_readme_names_every_command(command: str) -> None:
    """The table of the README is whole."""
    assert re.search(rf"^\|.*`{command}\b", README, re.MULTILINE)


@pytest.mark.parametrize("command", sorted(LEAVES))
def test_what_json_a_command_gives_is_described(command: str) -> None:
    """Whoever reads a document by program finds its fields."""
    if "--json" in make_reference.flags(LEAVES[command]):
        assert "With `--json`" in section("config path" if command == "config init" else command)


def test_every_exit_code_is_described() -> None:
    """Those of the errors, those of the last word, and the closed pipe's; in the README too."""
    used = {kind.exit_code for kind in _kinds_of(errors.ThetabulkError)} | set(summary._MEANING) | {141}
    assert used <= _CODES
    table = COMMANDS_MD.partition("## Exit codes")[2].partition("\n## ")[0]
    described = {int(code) for cell in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in cell.split(",")}
    assert described == _CODES
    in_readme = README.partition("## Exit codes")[2].partition("\n## ")[0]
    assert {int(code) for code in re.findall(r"\b\d+\b", in_readme)} >= _CODES


def _kinds_of(kind: type[errors.ThetabulkError]) -> Iterator[type[errors.ThetabulkError]]:
    yield kind
    for inner in kind.__subclasses__():
        yield from _kinds_of(inner)


@pytest.mark.parametrize("kind", get_args(Event), ids=event_name)
def test_every_event_is_described_with_its_fields(kind: type) -> None:
    """A JSON line holds nothing that the table of events does not name."""
    line = row(COMMANDS_MD, f"`{event_name(kind)}`")
    assert all(f"`{field}`" in line for field in make_reference.told_fields(kind)), f"{event_name(kind)}: {_AGAIN}"
    assert line.split("|")[3].strip(), "and says what it means"


@pytest.mark.parametrize("name", sorted(settings()))
def test_every_setting_is_described_with_its_default(name: str) -> None:
    """The table of settings is the program's."""
    cells = row(COMMANDS_MD, f"`{name}`").split("|")
    assert len(cells) > 2, f"{name}: {_AGAIN}"
    assert cells[2].strip() == make_reference.default_text(settings()[name].default), _AGAIN


def test_no_setting_is_described_that_there_is_not() -> None:
    """A setting that was renamed leaves no trace."""
    table = COMMANDS_MD.partition("<!-- table: settings -->")[2].partition("<!-- end -->")[0]
    assert set(re.findall(r"^\| `([a-z_.]+)`", table, re.MULTILINE)) == set(settings())


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    """Files and headings that a document points at exist."""
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", text):
        file, _, heading = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), f"{name_of(path)} points at {target}"
        if heading:
            assert heading in _headings(found), f"{name_of(path)} points at {target}"


def _headings(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_file_of_the_program_that_a_document_names_exists(path: Path) -> None:
    """`thetabulk/store/part.py` in a text is a file; `thetabulk/store/` is a folder."""
    named = re.findall(r"`((?:thetabulk|tests|benchmarks|docs)/[\w./-]*)`", path.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_room_is_on_the_map() -> None:
    """docs/architecture.md describes each package."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    packages = {path.name for path in (ROOT / "thetabulk").iterdir() if (path / "__init__.py").is_file()}
    assert {name for name in packages if f"`thetabulk/{name}/`" not in text} == set()


def test_the_decision_records_are_numbered_and_listed() -> None:
    """0001, 0002, … without a gap, each with its number in the title, each in the list."""
    records = sorted((ROOT / "docs" / "adr").glob("0*.md"))
    listed = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        assert path.read_text(encoding="utf-8").startswith(f"# {int(path.name[:4])} ")
        assert f"[{path.name[:4]}]({path.name})" in listed


def test_the_figures_of_the_readme_are_those_that_were_measured() -> None:
    """`python benchmarks/readme_table.py` was run after the last `make bench`, and never on a quick look."""
    results = ROOT / "benchmarks" / "results" / "latest.json"
    document = json.loads(results.read_text(encoding="utf-8"))
    assert not document["quick"]
    assert readme_table.with_figures(README, document) == README


@pytest.mark.parametrize("code", CODE_BLOCKS, ids=lambda code: code.split("\n")[0])
def test_the_lines_of_the_readme_read_a_store(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they stand there, also beside the `._` files of macOS."""
    monkeypatch.setattr(state, "state_folder", lambda: tmp_path / "state")
    store = tmp_path / "options"
    small_store.small_store(store)
    shutil.move(store / "option" / "quote" / "1h", store / "option" / "quote" / "1m")
    for file in list(store.rglob("*.parquet")):
        file.with_name(f"._{file.name}").write_bytes(b"\0\5\x16\7 an AppleDouble file")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
