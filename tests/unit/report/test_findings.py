"""What doctor has found, as lines and as a document."""

from thetabulk.report.findings import Finding, document, exit_code, lines, ok, problem, unknown, warn

FOUND = (
    ok("java", "Java 21, /usr/bin/java"),
    unknown("sleep", "not told by this system"),
    warn("exposure", "0.0.0.0:25503 listens beyond this machine", "close it:", "sudo iptables " + "-x " * 40),
    problem("room", "12 MB are free; a download needs 537 MB to begin", "free some space", code=5),
)


def test_each_finding_is_a_line_with_what_to_do_under_it() -> None:
    """Level, check, text; then advice, then the command, whole, however long it is."""
    assert lines(FOUND) == [
        "ok       java      Java 21, /usr/bin/java",
        "unknown  sleep     not told by this system",
        "warn     exposure  0.0.0.0:25503 listens beyond this machine",
        "                   close it:",
        f"                   type: sudo iptables {'-x ' * 40}",
        "problem  room      12 MB are free; a download needs 537 MB to begin",
        "                   free some space",
        "",
        "1 problem · 1 warning · 1 unknown · 1 ok",
    ]


def test_what_is_ok_has_one_line() -> None:
    """Cut in its middle, unless all of it is wanted; the others are wrapped."""
    long = "the way " * 20
    assert [len(line) for line in lines([ok("store", long)])] == [80, 0, 4]
    assert len(lines([ok("store", long)], whole=True)) > 4
    assert all(len(line) <= 80 for line in lines([warn("store", long, long)]))


def test_quiet_leaves_out_what_is_ok() -> None:
    """And of a machine where all is well nothing is left but the count."""
    assert not any(line.startswith("ok ") for line in lines(FOUND, quiet=True))
    assert lines(FOUND[:1], quiet=True) == ["1 ok"]
    assert lines([]) == ["nothing was checked"]


def test_foreign_words_cannot_steer_the_terminal_nor_tell_secrets() -> None:
    """A process may be called anything, and a vendor's message may hold anything."""
    found = warn("others", "pid 7: \x1b[2Jevil\nhttp://jo:hunter2@host/ password=hunter2", "\x1b[0m", "echo \x07")
    told = "\n".join(lines([found]))
    assert [letter for letter in told if not letter.isprintable() and letter != "\n"] == []
    assert "hunter2" not in told + str(document([found], 1.0))


def test_the_exit_code_is_that_of_the_worst_problem() -> None:
    """Design §3: drive before permission before room before account before Terminal; warnings ask for none."""
    problems = [problem("x", "", code=code) for code in (8, 7, 5, 6, 4)]
    assert [exit_code(problems[:count]) for count in range(6)] == [0, 8, 7, 5, 6, 4]
    assert exit_code(FOUND[:3]) == 0
    assert exit_code([Finding("x", warn("x", "").level, "", code=8)]) == 0


def test_the_document_holds_every_finding() -> None:
    """Under the names that docs/commands.md tells."""
    told = document(FOUND, 1.234)
    assert (told["seconds"], told["exit_code"]) == (1.23, 5)
    rows = told["findings"]
    assert isinstance(rows, list)
    assert [tuple(row) for row in rows] == [("check", "level", "text", "advice", "command")] * 4
    assert [row["level"] for row in rows] == ["ok", "unknown", "warn", "problem"]
