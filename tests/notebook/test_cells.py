"""Cells of real kernels as activities, and what goes from cell to cell."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import kernels
import pytest
from desk import Desk, cell


def _variable(graph: Any, name: str) -> list[str]:
    return sorted(graph.of("Variable", variable=name), key=lambda uid: graph.vertices[uid]["sequence"])


def test_lineage_crosses_from_file_to_variable_to_file(desk: Desk) -> None:
    desk.lab.write("data.csv", "a,b\n1,2\n3,4\n")
    desk.run(
        "import csv\nwith open('data.csv') as file:\n    rows = list(csv.reader(file))",
        "total = sum(int(row[0]) for row in rows[1:])",
        "with open('total.txt', 'w') as file:\n    file.write(str(total))",
    )
    graph = desk.graph()
    read, added, wrote = (cell(graph, text) for text in ("csv.reader", "sum(", "total.txt"))
    assert "data.csv" in graph.used(read)
    assert graph.used(added) == {"kernel:rows"}
    assert graph.generated(wrote) == {"total.txt"}
    assert "kernel:total" in graph.used(wrote)
    assert graph.generator(graph.snapshots("kernel:rows")[0]) == read
    names = {vertex["uid"] for vertex in desk.lab.provdb.json("lineage", "total.txt")["vertices"]}
    assert {read, added, wrote, graph.snapshots("data.csv")[0]} <= names
    assert graph.is_acyclic()


def test_what_a_cell_says_of_itself(desk: Desk) -> None:
    desk.run("print('hello')\n6 * 7", "import sys\nprint('oh', file=sys.stderr)\nraise ValueError('too bad')")
    graph = desk.graph()
    good, bad = (graph.vertices[cell(graph, text)] for text in ("hello", "too bad"))
    assert (good["source"], good["execution_count"], good["exit_status"]) == ("print('hello')\n6 * 7", 1, 0)
    assert good["name"].startswith("cell[1] #")
    assert good["kernel"].startswith("cpython 3.")
    assert "ipykernel" in good["kernel"]
    assert good["session"] == bad["session"]
    assert good["duration_s"] >= good["run_s"] >= 0
    stream, result = json.loads(good["outputs_json"])
    assert (stream["name"], stream["text"]) == ("stdout", "hello\n")
    assert (result["type"], result["text"], result["media_types"]) == ("result", "42", ["text/plain"])
    assert bad["exit_status"] == 1
    assert "too bad" in str(bad.get("error", bad.get("error_json", bad.get("error_message"))))
    assert any(one.get("text") == "oh\n" for one in json.loads(bad["outputs_json"]))


def test_a_cell_is_named_as_the_log_has_it(desk: Desk) -> None:
    desk.run("1", "2")
    rows = desk.lab.provdb.json("log")
    found = [dict(zip(rows["columns"], row, strict=True)) for row in rows["rows"]]
    cells = {row["n"]: row for row in found if row["name"].startswith("cell[")}
    assert set(cells) == {1, 2}, "counted as %n counts, where there is no other command"
    for number, row in cells.items():
        for reference in (row["name"], f"%{number}"):
            assert desk.lab.provdb.json("show", reference)["vertex"]["uid"] == row["uid"]


def test_a_cell_that_the_user_interrupts_is_recorded_as_such(desk: Desk) -> None:
    pid = desk.root / "pid"
    begins = "import os\nwith open('pid', 'w') as out:\n    out.write(f'{os.getpid()}!')\n"
    document = kernels.notebook(f"{begins}while True: pass", "after = 1")
    kernel: list[int] = []

    async def interrupting() -> str:
        runs = asyncio.create_task(kernels.execute(document, desk.root, desk.environment))
        while not runs.done():
            if not kernel and pid.exists() and pid.read_text().endswith("!"):
                kernel.append(int(pid.read_text()[:-1]))
                os.kill(kernel[0], signal.SIGINT)
            await asyncio.sleep(0.05)
        return await runs

    assert asyncio.run(interrupting()) == "done"
    graph = desk.graph()
    assert graph.vertices[cell(graph, "while True")]["exit_status"] == 130
    assert graph.vertices[cell(graph, "after")]["exit_status"] == 0


def test_a_kernel_that_dies_leaves_an_interrupted_cell(desk: Desk) -> None:
    document = kernels.notebook("x = 1", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert asyncio.run(kernels.execute(document, desk.root, desk.environment)) == "the kernel died"
    graph = desk.graph()
    assert graph.vertices[cell(graph, "SIGKILL")].get("interrupted")
    assert graph.snapshots("kernel:x")


def test_outputs_are_bounded_and_scrubbed(desk: Desk) -> None:
    secret = "ghp_" + "a1B2" * 9
    shown = desk.run(f"token = '{secret}'\nprint(token)", "print('x' * 1_000_000)").cells
    assert secret in kernels.text_of(shown[0])
    graph = desk.graph()
    assert all(secret not in json.dumps(vertex, default=list) for vertex in graph.vertices.values())
    (stream,) = json.loads(graph.vertices[cell(graph, "1_000_000")]["outputs_json"])
    assert stream["characters"] == 1_000_001
    assert len(stream["text"]) < 5_000


@pytest.mark.parametrize(
    ("change", "binds"),
    [
        ("box.append(1)", True),
        ("box[0] = 9", True),
        ("change(box)", True),
        ("other = box\nother.append(3)", True),
        ("for inner in [box]:\n    pass", False),
        ("len(box)", False),
    ],
)
def test_changes_in_place_are_snapshots(desk: Desk, change: str, binds: bool) -> None:
    desk.run("box = [0]\ndef change(values):\n    values.append(2)", change)
    graph = desk.graph()
    found = _variable(graph, "box")
    assert len(found) == 1 + binds
    if binds:
        changer = graph.generator(found[1])
        assert graph.vertices[changer]["source"] == change
        assert found[0] in graph.targets("used", str(changer))
        assert graph.targets("wasDerivedFrom", found[1]) == [found[0]]


def test_what_functions_read_counts_for_the_cell_that_calls_them(desk: Desk) -> None:
    desk.run("scale = 3", "def scaled(x):\n    return x * scale", "y = scaled(2)", "del scale")
    graph = desk.graph()
    assert graph.used(cell(graph, "y = scaled")) == {"kernel:scale", "kernel:scaled"}
    deleted = graph.targets("wasInvalidatedBy", _variable(graph, "scale")[0])
    assert deleted == [cell(graph, "del scale")]
    version = [graph.vertices[uid] for uid in graph.of("Version")]
    assert not any("scale" in str(one.get("removed")) for one in version)


def test_frames_arrays_and_estimators(desk: Desk) -> None:
    desk.run(
        "import numpy as np, pandas as pd\nframe = pd.DataFrame({'x': range(9), 'y': range(9)})",
        "frame['z'] = frame.x ** 2",
        "from sklearn.linear_model import Ridge\nmodel = Ridge(alpha=0.5)",
        "model.fit(frame[['x']], frame['y'])",
        "big = np.zeros((3000, 1000))",
    )
    graph = desk.graph()
    first, second = (graph.vertices[uid] for uid in _variable(graph, "frame"))
    assert (first["type"], first["shape"], first["columns"]) == ("pandas.DataFrame", [9, 2], ["x", "y"])
    assert second["shape"] == [9, 3]
    assert first["fingerprint"] != second["fingerprint"]
    unfitted, fitted = (graph.vertices[uid] for uid in _variable(graph, "model"))
    assert fitted["class"] == "sklearn.linear_model._ridge.Ridge"
    assert fitted["param_alpha"] == 0.5
    assert unfitted["fingerprint"] != fitted["fingerprint"]
    assert "kernel:frame" in graph.used(cell(graph, "model.fit"))
    (big,) = (graph.vertices[uid] for uid in _variable(graph, "big"))
    assert (big["shape"], big["sampled"]) == ([3000, 1000], True)
    assert not any(
        name in graph.vertices[uid]["path"] for uid in graph.of("Variable") for name in (":np", ":pd", ":Ridge")
    )


def test_a_second_session_begins_anew(desk: Desk) -> None:
    for _ in range(2):
        desk.run("x = 1", "y = x")
    graph = desk.graph()
    one, two = _variable(graph, "x")
    assert (graph.vertices[one]["sequence"], graph.vertices[two]["sequence"]) == (1, 2)
    assert graph.vertices[one]["session"] != graph.vertices[two]["session"]
    assert graph.targets("wasDerivedFrom", two) == []
    readers = [graph.vertices[uid]["session"] for uid in graph.sources("used", two)]
    assert readers == [graph.vertices[two]["session"]]


def test_what_changed_while_nobody_looked_is_unseen(desk: Desk) -> None:
    desk.run(
        "x = [1]",
        "%provdb off",
        "x.append(2)",
        "%provdb on",
        "y = sum(x)",
        "%provdb off",
        "z = 5",
        "%provdb on",
        "w = z",
    )
    graph = desk.graph()
    first, second = _variable(graph, "x")
    unseen = str(graph.generator(second))
    assert "Unseen" in graph.vertices[unseen]["labels"]
    assert graph.targets("used", unseen) == [first]
    assert second in graph.targets("used", cell(graph, "sum(x)"))
    (z,) = _variable(graph, "z")
    assert graph.generator(z) is None
    assert z in graph.targets("used", cell(graph, "w = z"))


def test_one_cell_alone(desk: Desk) -> None:
    desk.run(
        "%provdb off",
        "%%provdb --name prepare --tag stage=1 --note 'the first one'\nx = 1\nx + 1",
        "y = 2",
        "%%provdb\n%%time\nz = 3",
        "%%provdb --bogus\nnever = 1",
    )
    graph = desk.graph()
    prepare = graph.vertices[cell(graph, "x + 1")]
    assert prepare["name"].startswith("prepare #")
    assert (prepare["stage"], prepare["note"]) == (1, "the first one")
    assert len(graph.of("Cell")) == 2
    assert graph.generated(cell(graph, "%%time")) == {"kernel:z"}


def test_a_marked_cell_shows_its_result_and_its_lines(desk: Desk) -> None:
    shown = desk.run("%%provdb --name a\nx = 5\nx", "%%provdb\n\n1 / 0", "%%provdb --bogus\nnever = 1").cells
    assert kernels.text_of(shown[0]) == "5"
    assert "line 3" in "".join(shown[1].outputs[0].traceback).replace("\x1b[39m", "") or "----> 3" in "".join(
        shown[1].outputs[0].traceback
    )
    assert kernels.text_of(shown[2]).startswith("UsageError: '--bogus' is none of")


def test_asynchronous_cells_and_threads(desk: Desk) -> None:
    desk.run(
        "import asyncio\nasync def later(n):\n    await asyncio.sleep(0.01)\n    return n",
        "both = await asyncio.gather(later(1), later(2))\nopen('both.txt', 'w').write(str(both)) and None",
        "import threading\ndef work():\n    with open('thread.txt', 'w') as out:\n        out.write('done')\n"
        "thread = threading.Thread(target=work)\nthread.start()\nthread.join()",
    )
    graph = desk.graph()
    assert {"both.txt", "kernel:both"} <= graph.generated(cell(graph, "gather"))
    assert "thread.txt" in graph.generated(cell(graph, "threading"))


def test_modules_of_the_project_with_autoreload(desk: Desk) -> None:
    desk.lab.write("helper.py", "def value():\n    return 1\n")
    shown = desk.texts(
        "%load_ext autoreload\n%autoreload 2",
        "import sys\nsys.dont_write_bytecode = True\nfrom helper import value",
        "a = value()\na",
        "import os, pathlib\npathlib.Path('helper.py').write_text('def value():\\n    return 22\\n')\n"
        "os.utime('helper.py', (2_000_000_000, 2_000_000_000))",
        "b = value()\nb",
    )
    assert (shown[2], shown[4]) == ("1", "22")
    graph = desk.graph()
    assert "helper.py" in graph.used(cell(graph, "from helper"))
    assert {"helper.py", "kernel:value"} <= graph.used(cell(graph, "b = value()"))


def test_shell_commands_are_children(desk: Desk) -> None:
    desk.lab.write("a.txt", "hello\n")
    shown = desk.texts(
        "name = 'b'\n!cp a.txt {name}.txt; cat $name'.txt'",
        "lines = !cat b.txt; exit 3\nlines",
        "%%bash\ncp b.txt c.txt\necho $((1 + 1))",
        "!false\n_exit_code",
        "%%sh\nexit 4",
    )
    assert shown[0] == "hello\r\n"
    assert shown[1] == "['hello']"
    assert shown[2] == "2\n"
    assert shown[3] == "1"
    assert "exit status 4" in shown[4]
    graph = desk.graph()
    copy, script = graph.command("cp a.txt b.txt"), graph.command("bash")
    assert graph.generated(copy) == {"b.txt"}
    parent = cell(graph, "!cp")
    assert graph.targets("wasInformedBy", copy) == [parent]
    assert graph.targets("wasInformedBy", script) == [cell(graph, "cp b.txt c.txt")]
    assert graph.generated(script) == {"c.txt"}
    assert graph.vertices[parent]["commands_capture"] == "provdb"
    assert "kernel:name" in graph.generated(parent)


def test_programs_that_a_cell_starts_itself_are_its_own_doing(desk: Desk) -> None:
    desk.lab.write("a.txt", "hello\n")
    desk.run(
        "import subprocess\nsubprocess.run(['cp', 'a.txt', 'b.txt'])\n!cp b.txt c.txt\n"
        "subprocess.run(['cp', 'c.txt', 'd.txt'])"
    )
    graph = desk.graph()
    assert graph.generated(graph.command("cp b.txt c.txt")) == {"c.txt"}
    parts = graph.of("Cell")  # what goes out of a cell and comes back splits it, else there were a cycle
    mine = {path for part in parts for path in graph.generated(part) if path.endswith(".txt")}
    assert mine == {"b.txt", "d.txt"}
    assert graph.is_acyclic()


def test_a_kernel_below_provdb_is_watched_by_the_supervisor(desk: Desk, provdb: Any) -> None:
    desk.lab.write("in.txt", "hello\n")
    document = kernels.notebook("text = open('in.txt').read()", "import os\nos.system('cp in.txt out.txt')")
    path = desk.root / "n.ipynb"
    kernels.nbformat.write(document, path)
    words = ["jupyter", "nbconvert", "--execute", "--to", "notebook", "--output", "done.ipynb", "n.ipynb"]
    provdb(*words, env=desk.environment)
    graph = desk.graph()
    reader = cell(graph, "in.txt').read")
    if graph.vertices[reader]["capture"] != "seccomp":
        pytest.skip("no supervisor here")
    assert "in.txt" in graph.used(reader)
    assert graph.vertices[reader]["notebook"] == "n.ipynb"
    assert {"out.txt"} <= graph.generated(cell(graph, "os.system"))
    (command,) = (uid for uid in graph.of("Command") if "nbconvert" in graph.vertices[uid]["command"])
    assert command in graph.targets("wasInformedBy", reader)


def test_nothing_is_shown_where_nothing_can_be_recorded(place: Path, provdb: Any, tmp_path: Path) -> None:
    profile = kernels.profile(tmp_path / "ipython", ["%load_ext provgraph"])
    environment = kernels.environment_of(provdb.environment, profile)
    document = kernels.run(
        kernels.notebook("%%provdb\nx = 1\nx", "%provdb on", "x + 1", "%provdb status"), place, environment
    )
    shown = [kernels.text_of(one) for one in document.cells]
    assert shown[0] == "1"
    assert shown[1].startswith("UsageError: no project here")
    assert shown[2] == "2"
    assert "not recorded: no project here" in shown[3]
    assert not (place / ".provdb").exists()


def test_a_store_that_vanishes_does_not_disturb(desk: Desk) -> None:
    shown = desk.texts(
        "x = 1\nx",
        "import os\nos.rename('.provdb', 'elsewhere')",
        "x + 1",
        "os.rename('elsewhere', '.provdb')",
        "x + 2",
    )
    assert (shown[0], shown[2], shown[4]) == ("1", "2", "3")
    assert os.path.isdir(desk.root / ".provdb")


def test_objects_that_bite_are_left_alone(desk: Desk) -> None:
    """No method of a class of the notebook's is called by recording."""
    hostile = (
        "calls = []\nclass Hostile(list):\n"
        "    def __len__(self): calls.append('len'); raise RuntimeError\n"
        "    def __iter__(self): calls.append('iter'); raise RuntimeError\n"
        "    def __repr__(self): calls.append('repr'); raise RuntimeError\n"
        "    def __hash__(self): calls.append('hash'); raise RuntimeError\n"
        "    def __eq__(self, other): calls.append('eq'); raise RuntimeError\n"
        "    def __getattr__(self, name): calls.append(name); raise AttributeError(name)\n"
        "    def __reduce_ex__(self, protocol): calls.append('pickle'); raise RuntimeError\n"
    )
    shown = desk.texts(hostile, "thing = Hostile()\nlist.append(thing, thing)", "other = [thing]", "calls")
    assert shown[3] == "[]"
    graph = desk.graph()
    assert graph.vertices[_variable(graph, "thing")[0]]["type"] == "Hostile"


def test_libraries_classes_that_the_notebook_inherits_from_are_left_alone(desk: Desk) -> None:
    hostile = (
        "import numpy as np, pandas as pd\nfrom sklearn.base import BaseEstimator\ncalls = []\n"
        "class Hostile(type):\n"
        "    def __getattr__(kind, name): calls.append(name); raise AttributeError(name)\n"
        "class Plain(metaclass=Hostile): pass\n"
        "class Own:\n"
        "    def __init__(self, depth=3): self.depth = depth\n"
        "    def fit(self, x): return self\n"
        "    def get_params(self, deep=True): calls.append('get_params'); return {}\n"
        "class Scaler(BaseEstimator):\n"
        "    def __init__(self, factor=2): self.factor = factor\n"
        "    def __getattribute__(self, name): calls.append(name); return super().__getattribute__(name)\n"
        "    def fit(self, x): return self\n"
        "class Array(np.ndarray):\n"
        "    @property\n    def shape(self): calls.append('shape'); return (1,)\n"
        "    def __array_finalize__(self, other): calls.append('finalize')\n"
        "class Frame(pd.DataFrame):\n"
        "    @property\n    def iloc(self): calls.append('iloc'); return super().iloc\n"
        "    @property\n    def shape(self): calls.append('shape'); return super().shape\n"
        "    def __len__(self): calls.append('len'); return 1\n"
    )
    made = (
        "own, scaler, plain = Own(), Scaler(), Plain()\narray = np.arange(3).view(Array)\nframe = Frame({'a': [1, 2]})"
    )
    shown = desk.texts(
        hostile,
        f"{made}\ncalls.clear()",
        "things = [own, scaler, plain, array, frame]",
        "calls",
        "np.ndarray.__setitem__(array, 0, 7)\ncalls.clear()",
        "calls",
    )
    assert (shown[3], shown[5]) == ("[]", "[]")
    graph = desk.graph()
    assert graph.vertices[_variable(graph, "scaler")[0]]["param_factor"] == 2
    assert graph.vertices[_variable(graph, "own")[0]]["param_depth"] == 3
    before, after = (graph.vertices[uid] for uid in _variable(graph, "array"))
    assert before["fingerprint"] != after["fingerprint"]
    assert not before.get("opaque")
    assert not graph.vertices[_variable(graph, "frame")[0]].get("opaque")


def test_cells_that_run_other_cells(desk: Desk) -> None:
    shown = desk.texts(
        "get_ipython().run_cell('inner = 1', store_history=True)\nouter = inner + 1\nouter",
        "%macro -q again 1\nagain",
        "import asyncio\ntask = asyncio.ensure_future(asyncio.sleep(0.01))\nawait task",
        "outer",
    )
    assert (shown[0], shown[3]) == ("2", "2")
    graph = desk.graph()
    ran = cell(graph, "store_history")
    assert graph.generated(ran) == {"kernel:inner", "kernel:outer"}
    assert graph.vertices[ran]["exit_status"] == 0
    assert cell(graph, "ensure_future")


def test_proxies_are_not_woken(desk: Desk) -> None:
    proxy = (
        "woken = []\nclass Lazy:\n"
        "    @property\n    def __class__(self):\n        woken.append('class'); return list\n"
        "    def __getattr__(self, name):\n        woken.append(name); raise AttributeError(name)\n"
        "lazy = Lazy()"
    )
    assert desk.texts(proxy, "other = (lazy,)", "woken")[2] == "[]"


def test_a_notebook_that_leaves_the_projects_folder(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    desk.lab.write("data.txt", "hello\n")
    shown = desk.texts(
        "x = 1",
        f"import os\nhome = os.getcwd()\nos.chdir({str(tmp_path / 'elsewhere')!r})",
        "y = x\ntext = open(os.path.join(home, 'data.txt')).read()\ny",
        "!echo here",
    )
    assert (shown[2], shown[3]) == ("1", "here\r\n")
    graph = desk.graph()
    assert graph.used(cell(graph, "y = x")) == {"data.txt", "kernel:x", "kernel:home"}
    assert graph.targets("wasInformedBy", graph.command("echo here")) == [cell(graph, "!echo here")]


def test_a_notebook_saved_under_another_name_while_it_runs(desk: Desk) -> None:
    sources = ("x = 1", "import os\nos.rename('first.ipynb', 'second.ipynb')", "y = x + 1")
    document = kernels.notebook(*sources)
    kernels.nbformat.write(document, desk.root / "first.ipynb")
    environment = {**desk.environment, "JPY_SESSION_NAME": str(desk.root / "first.ipynb")}
    kernels.run(document, desk.root, environment)
    graph = desk.graph()
    last = cell(graph, "y = x + 1")
    assert graph.vertices[last]["notebook"] == "second.ipynb"
    assert graph.vertices[cell(graph, "os.rename")]["notebook"] == "first.ipynb"
    assert graph.used(last) == {"first.ipynb:x"}
    assert graph.generated(last) == {"second.ipynb:y"}
    assert [graph.vertices[uid]["cell_id"] for uid in graph.of("Cell")] == [one.id for one in document.cells]


_READING_BACK = {
    "a command": "!cp a.txt b.txt\n",
    "a part of the cell": "with provgraph.activity('inner'):\n    open('b.txt', 'w').write(open('a.txt').read())\n",
}


@pytest.mark.parametrize("how", _READING_BACK)
def test_a_cell_that_reads_back_what_it_had_another_make(desk: Desk, how: str) -> None:
    desk.lab.write("in.txt", "hello\n")
    desk.run(
        "import provgraph",
        f"open('a.txt', 'w').write(open('in.txt').read())\n{_READING_BACK[how]}"
        "open('c.txt', 'w').write(open('b.txt').read()) and None",
    )
    graph = desk.graph()
    assert graph.is_acyclic()
    (last,) = (str(graph.generator(uid)) for uid in graph.snapshots("c.txt"))
    first = str(graph.vertices[last]["whole"])
    assert {path for path in graph.generated(first) if path.endswith(".txt")} == {"a.txt"}
    found = desk.lab.provdb.json("lineage", "c.txt")["vertices"]
    assert {f"{name}.txt" for name in ("a", "b", "c", "in")} <= {one["properties"].get("path") for one in found}
    for part in (graph.vertices[first], graph.vertices[last]):
        assert part["exit_status"] == 0
        assert part["duration_s"] > 0
        assert "interrupted" not in part
