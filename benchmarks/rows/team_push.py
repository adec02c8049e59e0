"""`provdb push` to a real Neo4j: beside the driver alone and prov2neo, as it grows, by eight clones at once."""

from __future__ import annotations

import json
import os
import pickle
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import peers
from life_cycles import life_cycle, record
from measuring import CommandFailedError
from scratch import WORKLOADS, Bench, Scratch
from table import Figure, at_least, at_most, failed, for_information
from team_server import elements, prov_json, server, wipe

CLONES = 8
PUSH = "provdb push"
PROV2NEO_S = 900.0


def measure(bench: Bench) -> list[Figure]:
    """All of it on one server, which is emptied between runs."""
    figures: list[Figure] = []
    with server(bench.folder / "neo4j-pushing", heap="1g" if bench.quick else "2g") as neo4j:
        small = 10_000 if bench.quick else 100_000
        project, what = _made(bench, neo4j, small)
        seconds, found = _beside(bench, neo4j, project, what)
        figures += found
        for name, part in (
            ("prov2neo", lambda: _prov2neo(bench, neo4j, project, what, seconds)),
            ("clones", lambda: _clones(bench, neo4j, small)),
            ("growth", lambda: _growth(bench, neo4j, 10 * small, seconds)),
        ):
            try:
                figures += part()
            except Exception as error:  # noqa: BLE001 - what was measured before it shall not be lost
                figures.append(failed(f"pushing: {name}", "an end", PUSH, f"{error!r}"))
    return figures


def _made(bench: Bench, neo4j: Any, size: int, name: str = "push", seed: int = 1) -> tuple[Scratch, str]:
    project = bench.project(f"{name}-{size}").init()
    made = life_cycle(size, seed=seed)
    record(made, str(project.root))
    _know(project, neo4j)
    return project, f"{made.vertices:,} vertices, {made.edges:,} edges"


def _know(project: Scratch, neo4j: Any) -> None:
    project.plain([project.provdb, "remote", "add", "team", neo4j.url])


def _timed(argv: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> tuple[float, float, str]:
    """(seconds, largest resident memory in MiB, what it printed) of a process.

    The memory is read while it runs: what the kernel says at the end counts this process's own, before the exec, too.
    """
    began, largest = time.perf_counter(), 0.0
    process = subprocess.Popen(
        argv, cwd=cwd, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with ThreadPoolExecutor(1) as reading:
        said = reading.submit(process.stdout.read if process.stdout else str)
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            largest = max(largest, _resident(process.pid))
            time.sleep(0.02)
        code = ended[1]
        text = said.result()
    process.returncode = os.waitstatus_to_exitcode(code)
    seconds = time.perf_counter() - began
    if process.returncode:
        errors = process.stderr.read() if process.stderr else ""
        raise CommandFailedError(f"`{' '.join(argv)[:200]}` ended with {process.returncode}: {errors[-300:]}")
    return seconds, largest, text


def _resident(pid: int) -> float:
    """The largest resident memory of a process so far, MiB; 0 where it is gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except FileNotFoundError:
        pass
    return 0.0


def _push(neo4j: Any, project: Scratch) -> tuple[float, float]:
    """(seconds, MiB) of one push, the whole process."""
    argv, environment = [project.provdb, "push", "team"], {"PROVDB_TEAM_PASSWORD": neo4j.password}
    return _timed(argv, project.root, environment)[:2]


def _beside(bench: Bench, neo4j: Any, project: Scratch, what: str) -> tuple[float, list[Figure]]:
    """The first push and the driver alone, in turns; a round before them warms the server up."""
    data = bench.folder / "team-data.pickle"
    data.write_bytes(pickle.dumps(elements(project.root)))

    def raw(times: str) -> Callable[[], float]:
        argv = [sys.executable, str(WORKLOADS / "team_raw_push.py"), str(data), neo4j.url, neo4j.user]
        environment = {"NEO4J_PASSWORD": neo4j.password, "TIMES": times}
        return lambda: float(json.loads(_timed(argv, project.root, environment)[2])["seconds"])

    variants = {"ours": lambda: _push(neo4j, project)[0], "texts": raw("texts"), "objects": raw("objects")}
    times: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(bench.rounds(3) + 1):
        for name, variant in variants.items():
            wipe(neo4j)
            seconds = variant()
            if number:
                times[name].append(seconds)
    ours, texts, objects = (statistics.median(times[name]) for name in variants)
    remarks = (
        f"{ours:.1f} s, the whole process with reading the journal, over {min(texts, objects):.1f} s from connecting "
        f"to the last commit, its data in memory; all runs {_runs(times['ours'])} and {_runs(times['texts'])}; with "
        f"date-times as Python's objects {_runs(times['objects'])}"
    )
    must = f"first push of {what}: speed beside the driver's UNWIND + MERGE"
    wipe(neo4j)
    _push(neo4j, project)
    again = _push(neo4j, project)[0]
    return ours, [
        at_least(must, 0.8, min(texts, objects) / ours, "×", PUSH, remarks),
        for_information("the same push again, nothing new", again, "s", PUSH),
    ]


def _runs(seconds: Sequence[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in sorted(seconds)) + " s"


def _prov2neo(bench: Bench, neo4j: Any, project: Scratch, what: str, ours: float) -> list[Figure]:
    must = f"first push of {what}: speed beside prov2neo importing it as PROV-JSON"
    python = peers.prov2neo_python()
    if python is None:
        return [failed(must, "≥ 3 ×", "prov2neo", "it could not be installed")]
    file = bench.folder / "team-data.json"
    file.write_text(json.dumps(prov_json(*elements(project.root))))
    wipe(neo4j)
    address = neo4j.url.removeprefix("bolt://")
    argv = [str(python), str(WORKLOADS / "team_prov2neo.py"), str(file), address, neo4j.user]
    environment = {**os.environ, "NEO4J_PASSWORD": neo4j.password}
    try:
        done = subprocess.run(
            argv, env=environment, capture_output=True, text=True, timeout=PROV2NEO_S, check=True, cwd=bench.folder
        )
        theirs, how = float(json.loads(done.stdout)["seconds"]), ""
    except subprocess.TimeoutExpired:
        theirs, how = PROV2NEO_S, "; it was ended then"
    except subprocess.CalledProcessError as error:
        return [failed(must, "≥ 3 ×", "prov2neo", f"{error.stderr}"[-300:])]
    remarks = f"{theirs:.0f} s over {ours:.1f} s, one run{how}; lists of words left out, times without zone"
    return [at_least(must, 3, theirs / ours, "×", "prov2neo -f json", remarks)]


def _growth(bench: Bench, neo4j: Any, size: int, small: float) -> list[Figure]:
    project, what = _made(bench, neo4j, size)
    wipe(neo4j)
    seconds, memory = _push(neo4j, project)
    remarks = f"{seconds:.0f} s over {small:.1f} s"
    return [
        at_most(f"first push of {what}: times a tenth of it", 12, seconds / small, "×", PUSH, remarks),
        at_most("its memory", 300, memory, "MiB", PUSH, "largest resident memory of the process"),
    ]


def _clones(bench: Bench, neo4j: Any, size: int) -> list[Figure]:
    """Clones of one project, each with an eighth of the history; one after another, then at once."""
    first, _ = _made(bench, neo4j, size // CLONES, "clone-0")
    uid = first.json("status")["project"]
    clones = [first]
    for number in range(1, CLONES):
        clone = bench.project(f"clone-{number}-{size // CLONES}")
        clone.plain([clone.provdb, "init", "--join", uid])
        record(life_cycle(size // CLONES, seed=number + 1), str(clone.root))
        _know(clone, neo4j)
        clones.append(clone)
    wipe(neo4j)
    began = time.perf_counter()
    for clone in clones:
        _push(neo4j, clone)
    alone = time.perf_counter() - began
    wipe(neo4j)
    began = time.perf_counter()
    with ThreadPoolExecutor(CLONES) as at_once:
        list(at_once.map(lambda clone: _push(neo4j, clone), clones))
    together = time.perf_counter() - began
    text = f"{CLONES} clones push at once, {size:,} vertices together: times one after another"
    remarks = f"{together:.1f} s over {alone:.1f} s; every push ended with 0"
    return [at_most(text, 2, together / alone, "×", PUSH, remarks)]
