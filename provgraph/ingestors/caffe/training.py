"""A training (or any command that meets Caffe's files), once it has ended."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any, Final

from provgraph.ingestors.caffe import reading
from provgraph.ingestors.caffe.definitions import batch_sizes, hyperparameters, net_properties, sources
from provgraph.ingestors.caffe.reading import Definition
from provgraph.ingestors.caffe.training_log import TrainingLog
from provgraph.ingestors.patterns import fits_globs
from provgraph.ingestors.port import File, Findings, Match, Moment, Occurrence
from provgraph.ingestors.prototxt import PrototxtError, parse
from provgraph.ingestors.simple_commands import simple_commands

_MAX_WEIGHTS: Final = 500
_MAX_DERIVATIONS: Final = 5_000
_LOCKS: Final = frozenset(("lock.mdb", "LOCK", "LOG", "LOG.old"))
"""What LMDB and LevelDB have beside the data."""
_PLACES: Final = frozenset(("param_net", "param_snapshot_prefix", "param_device_id", "param_train_state_json"))
"""What Caffe itself changes between the solver's file and the log."""


class Training:
    """Reads the files of a run together: solver, nets, log, weights."""

    name = "caffe"
    version = "2"
    moment = Moment.AFTER
    match = Match(files=("*.prototxt", *reading.WEIGHTS, *reading.STATES))
    description = "Caffe: solvers, nets, training logs, and what weights were derived from"

    def ingest(self, occurrence: Occurrence) -> Mapping[str, Any]:
        """Facts about solvers and nets on their files; of a training, its parameters, series and derivations."""
        findings = Findings()
        used = reading.definitions(occurrence.used, findings)
        # Of a file that the command both used and generated, its path names what it generated.
        defined = {one.file.path: one for one in (*used, *reading.definitions(occurrence.generated, findings))}
        for one in defined.values():
            _describe(one, findings)
        run = _Run(occurrence, used, findings)
        if run.is_training:
            run.tell()
        return findings.to_json()


class _Run:
    """One training: what it was told, what it logged, what came of it."""

    def __init__(self, occurrence: Occurrence, used: list[Definition], findings: Findings) -> None:
        self._occurrence, self._findings = occurrence, findings
        generated = occurrence.generated
        self._weights = [file for file in generated if fits_globs(reading.WEIGHTS, file.path)]
        self._states = [file for file in generated if fits_globs(reading.STATES, file.path)]
        found = reading.read_log(generated, occurrence.activity, findings)
        self._log_file: File | None = None if found is None else found[0]
        self._log = TrainingLog() if found is None else found[1]
        self._solver = self._chosen([one for one in used if one.is_solver])
        self._nets = [one for one in used if one.is_net]

    @property
    def is_training(self) -> bool:
        """Whether something was trained, and not only looked at."""
        return bool(self._weights or self._states or self._log_file)

    def tell(self) -> None:
        """Say all that is known of it."""
        findings, parameters = self._findings, self._parameters()
        last = self._values(None)
        facts: dict[str, Any] = {"finished": True} if self._log.finished else {}
        findings.activity(**parameters, **last, **facts)
        self._series()
        run = {"metrics_from": self._occurrence.activity.uid} if last and self._occurrence.activity.uid else {}
        if self._log_file is not None:
            findings.snapshot(self._log_file.path, **last)
        if self._solver is not None:
            findings.snapshot(self._solver.file.path, **last, **run)
        self._derivations(parameters)
        for state in self._states:
            iteration = reading.iteration_of(state.path)
            if iteration is not None:
                findings.snapshot(state.path, iteration=iteration)

    def _chosen(self, solvers: list[Definition]) -> Definition | None:
        """The solver that the run was given: the only one, or the one that the command names."""
        if len(solvers) <= 1:
            return solvers[0] if solvers else None
        cwd = self._occurrence.activity.cwd
        commands = simple_commands(self._occurrence.activity.argv)
        words = {word.rpartition("=")[2] for command in commands for word in command.argv}
        places = {os.path.normpath(os.path.join(cwd, word)) for word in words}
        named = [one for one in solvers if one.file.absolute in places]
        if len(named) != 1:
            names = ", ".join(one.file.path for one in solvers[:5])
            self._findings.note(f"several solvers were read and the command names none of them alone: {names}")
            return None
        return named[0]

    def _parameters(self) -> dict[str, Any]:
        """The solver's, as its file has them; what only the log tells (defaults, mostly) is added."""
        found: dict[str, Any] = {}
        for net in self._nets:
            found |= {f"param_{name}": size for name, size in batch_sizes(net.fields).items()}
        logged = self._logged()
        if self._solver is None:
            return {**found, **logged}
        said = hyperparameters(self._solver.fields)
        differing = [key for key in said if key in logged and said[key] != logged[key] and key not in _PLACES]
        for key in differing[:10]:
            name = key.removeprefix("param_")
            self._findings.note(f"{name} is {said[key]} in {self._solver.file.path} and {logged[key]} in the log")
        return {**found, **logged, **said}

    def _logged(self) -> dict[str, Any]:
        try:
            return hyperparameters(parse(self._log.solver))
        except PrototxtError:
            return {}  # cut off, or mixed with the lines of another thread

    def _values(self, iteration: int | None) -> dict[str, float]:
        """The last value of each series up to an iteration, as metrics."""
        values = {name: series.at(iteration) for name, series in self._log.series.items()}
        return {f"metric_{name}": v for name, v in values.items() if v is not None and math.isfinite(v)}

    def _series(self) -> None:
        offset = reading.zone_offset(self._log, self._occurrence.activity)
        for name, series in self._log.series.items():
            times = None if offset is None else [round((clock + offset) * 1e9) for clock in series.clocks]
            self._findings.series("activity", name, series.steps, series.values, times)

    def _derivations(self, parameters: Mapping[str, Any]) -> None:
        if len(self._weights) > _MAX_WEIGHTS:
            self._findings.note(f"only {_MAX_WEIGHTS} of {len(self._weights):,} files of weights are described")
        causes, left = self._causes(), _MAX_DERIVATIONS
        for weights in self._weights[:_MAX_WEIGHTS]:
            iteration = reading.iteration_of(weights.path)
            reached = self._values(iteration) | ({} if iteration is None else {"iteration": iteration})
            self._findings.snapshot(weights.path, **reached)
            for cause in causes[:left]:
                if cause.path != weights.path:
                    self._findings.derivation(weights.path, cause.path, **parameters, **reached)
            left -= len(causes[:left])
        if self._weights and not left:
            self._findings.note(f"only {_MAX_DERIVATIONS:,} derivations of weights are told")

    def _causes(self) -> list[File]:
        """What weights are derived from: the solver, the nets, their data, earlier weights."""
        found = [] if self._solver is None else [self._solver.file]
        found += [net.file for net in self._nets]
        fields = [net.fields for net in self._nets] + ([] if self._solver is None else [self._solver.fields])
        cwd = self._occurrence.activity.cwd
        places = {os.path.normpath(os.path.join(cwd, source)) for one in fields for source in sources(one)}
        for file in self._occurrence.used:
            absolute = file.absolute or os.path.join(self._occurrence.project, file.path)
            in_place = os.path.dirname(absolute) in places and os.path.basename(absolute) not in _LOCKS
            is_data = absolute in places or in_place
            if is_data or fits_globs((*reading.WEIGHTS, *reading.STATES), file.path):
                found.append(file)
        return list({file.path: file for file in found}.values())


def _describe(one: Definition, findings: Findings) -> None:
    """What a definition says, as properties of its file."""
    properties: dict[str, Any] = {}
    if one.is_solver:
        properties = hyperparameters(one.fields)
    elif one.is_net:
        properties, notes = net_properties(one.fields)
        for note in notes:
            findings.note(f"{one.file.path}: {note}")
    if properties:
        findings.snapshot(one.file.path, **properties)


TRAINING = Training()
