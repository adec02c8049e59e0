"""A provdb command below another is an activity of its own; what provdb itself opens is nobody's."""


def by_word(watched, word):
    for index, records in enumerate(watched.records()):
        if records[0]["argv"][0] == word:
            return index
    raise AssertionError(word)


def test_what_the_child_did_is_its_own(watched):
    (watched.root / "in").write_text("x\n")
    inner = " ".join(watched.command("sort", "in", "-o", "inner"))
    result = watched.run("sh", "-c", f"cat in > before; {inner}; echo st=$?; cat inner > after; exit 3")
    assert (result.returncode, result.stdout) == (3, b"st=0\n")
    outer, child = by_word(watched, "sh"), by_word(watched, "sort")
    assert watched.paths("w", child) == {"inner"}
    assert watched.paths("r", child) == {"in"}
    assert watched.paths("w", outer) == {"before", "after"}
    assert watched.paths("r", outer) == {"in", "inner"}
    assert watched.records()[child][0]["parent"] == watched.records()[outer][0]["activity"]
    assert watched.end(child)["exit_status"] == 0


def test_three_deep_with_signals_and_statuses(watched):
    deepest = " ".join(watched.command("sh", "-c")) + ' "kill -TERM \\$\\$"'
    script = " ".join(watched.command("sh", "-c")) + f" '{deepest}; echo inner \\$?; exit 4'"
    result = watched.run("sh", "-c", script.replace("\\$?", "$?") + "; echo outer $?")
    assert result.stdout == b"inner 143\nouter 4\n", result.stderr
    assert sorted(records[-2]["exit_status"] for records in watched.records()) == [0, 4, 143]


def test_questions_below_a_command_are_nobodys(watched):
    question = " ".join([*watched.command(), "--version"])
    watched.run("sh", "-c", f"{question}; true")
    assert len(watched.records()) == 1
    assert watched.paths("r") == set()


def test_nested_pipeline_parallel(watched):
    words = " ".join(watched.command())
    result = watched.run("sh", "-c", f"{words} echo b a | {words} tr ' ' '\\n' | {words} sort > out; cat out")
    assert result.stdout == b"a\nb\n"
    assert len(watched.records()) == 4


def test_outer_supervisor_dies(watched, supervisor_of, kill):
    (watched.root / "in").write_text("x\n")
    inner = " ".join(watched.command("sh", "-c")) + " 'echo up; read line; cat in; exit 6'"
    command = watched.start("sh", "-c", f"{inner}; echo st=$?", stdin=-1)
    assert command.stdout.readline() == b"up\n"
    kill(supervisor_of(command))
    output, errors = command.communicate(b"go\n", timeout=60)
    assert output == b"x\nst=6\n", errors
    assert sorted(watched.end(index)["exit_status"] for index in range(2)) == [0, 6]


def test_disabled_below(watched):
    (watched.root / "in").write_text("x\n")
    inner = "PROVDB_DISABLE=1 " + " ".join(watched.command("cat", "in"))
    assert watched.run("sh", "-c", inner).stdout == b"x\n"
    assert len(watched.records()) == 1
    assert watched.paths("r") == {"in"}
