"""Load a definition and run it here: ``load`` and ``Workflow``."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from stepwell.asl.check import check
from stepwell.asl.diagnostics import DefinitionError, Diagnostic, errors
from stepwell.asl.parser import parse
from stepwell.asl.source import load_definition
from stepwell.engine.tasks import TaskRunner
from stepwell.kernel.clock import Clock, ManualClock
from stepwell.kernel.ids import Ids, SeededIds
from stepwell.kernel.jsontext import EMPTY_OBJECT, dumps
from stepwell.kernel.limits import DATA_BYTES
from stepwell.local.answers import Mocks, as_json, compile_mocks
from stepwell.local.live import LiveRun, drive
from stepwell.local.run import Run
from stepwell.local.session import OnEntry, Session, new_execution
from stepwell.local.substitutions import Substitutions, substitute

MachineType = Literal["STANDARD", "EXPRESS"]
Source = str | Path | Mapping[str, Any]


def load(
    source: Source,
    *,
    type: MachineType = "STANDARD",  # noqa: A002
    name: str | None = None,
    substitutions: Substitutions | None = None,
) -> Workflow:
    """A workflow from a file, from JSON or YAML text, or from a dict.

    A string is text if it has more than one line or begins with ``{``, else a path. ``name`` is the state machine's name;
    without one it is the file's (``orders`` for ``orders.asl.json``), or ``workflow``. ``substitutions`` fill
    ``${Name}`` placeholders, as those of SAM and CloudFormation do.

    Raises DefinitionError, whose ``diagnostics`` are all faults at once, OSError for a file that cannot be read, and
    ValueError for a placeholder without a value, if ``substitutions`` are given at all.
    """
    path = read_as_path(source)
    if path is not None:
        text = _read(path)
        name = name or path.name.split(".", 1)[0]
    else:
        text = source if isinstance(source, str) else _text_of(source)
    if substitutions is not None:
        text = substitute(text, substitutions)
    return Workflow(load_definition(text), type=type, name=name or "workflow")


class Workflow:
    """A checked definition. Runs of it share nothing but this; run it as often as you like.

    Raises DefinitionError if the definition has errors; ``warnings`` are the faults that AWS lets pass.
    """

    def __init__(self, definition: dict[str, Any], *, type: MachineType = "STANDARD", name: str = "workflow") -> None:  # noqa: A002
        if type not in {"STANDARD", "EXPRESS"}:
            raise ValueError(f"type is STANDARD or EXPRESS, not {type!r}")
        found = check(definition, type=type)
        if errors(found):
            raise DefinitionError(found)
        self.definition = definition
        self.type = type
        self.name = name
        self.warnings: tuple[Diagnostic, ...] = tuple(found)
        self.machine = parse(definition)
        self._text = dumps(definition)

    def __repr__(self) -> str:
        return f"<Workflow {self.name} {self.type}>"

    def run(
        self,
        input: Any = EMPTY_OBJECT,  # noqa: A002
        *,
        mocks: Mocks | None = None,
        tasks: TaskRunner | None = None,
        clock: ManualClock | None = None,
        name: str | None = None,
        seed: int = 0,
    ) -> Run:
        """Run to the end; time skips by itself, so a Wait of a year costs nothing.

        ``input`` is any JSON value, ``{}`` without one. ``mocks`` stand for tasks, by state name (see ``stepwell.Return``);
        ``tasks`` does the others, and without it a task that has no mock is a MockError. ``clock`` says when the run
        starts (2026-01-01 without one), ``name`` is the execution's name. The same ``seed`` gives the same ids and
        random numbers.

        Raises MockError, StuckError if the run waits for a result that nobody will send, ValueError for an input that is not
        JSON or is too large, and whatever a mock raises. A workflow that fails is not an exception: see ``expect_succeeded``.
        Where an event loop is running already, the run gets a thread and a loop of its own; in async code
        ``run_async`` is better.
        """

        async def work() -> Run:
            return await self.run_async(input, mocks=mocks, tasks=tasks, clock=clock, name=name, seed=seed)

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(work())
        return _on_a_thread(lambda: asyncio.run(work()))

    async def run_async(
        self,
        input: Any = EMPTY_OBJECT,  # noqa: A002
        *,
        mocks: Mocks | None = None,
        tasks: TaskRunner | None = None,
        clock: ManualClock | None = None,
        name: str | None = None,
        seed: int = 0,
    ) -> Run:
        """``run`` for async code, in the caller's event loop."""
        clock = clock or ManualClock()
        session = self.session(input, mocks=mocks, tasks=tasks, clock=clock, ids=SeededIds(seed), name=name)
        session.start()
        clock.settlers.append(session.settle)
        try:
            await drive(session, clock)
        finally:
            clock.settlers.remove(session.settle)
            await session.close()
        return Run(session)

    def start(
        self,
        input: Any = EMPTY_OBJECT,  # noqa: A002
        *,
        mocks: Mocks | None = None,
        tasks: TaskRunner | None = None,
        clock: ManualClock | None = None,
        name: str | None = None,
        seed: int = 0,
    ) -> LiveRun:
        """A run to steer step by step, for ``async with``; see ``run`` for what the arguments mean.

        Time stands still until ``advance``. Several runs may share one clock.
        """
        clock = clock or ManualClock()
        session = self.session(input, mocks=mocks, tasks=tasks, clock=clock, ids=SeededIds(seed), name=name)
        return LiveRun(session, clock)

    def session(
        self,
        input: Any,  # noqa: A002
        *,
        mocks: Mocks | None,
        tasks: TaskRunner | None,
        clock: Clock,
        ids: Ids,
        name: str | None,
        on_entry: OnEntry | None = None,
    ) -> Session:
        """One execution, not yet started: what ``run``, ``start`` and ``progress.run_live`` have in common."""
        argument = as_json(input, "the input")
        if argument.size > DATA_BYTES:
            raise ValueError(f"the input has {argument.size} bytes, and Step Functions takes {DATA_BYTES} at most")
        execution = new_execution(
            self.machine,
            text=self._text,
            machine_name=self.name,
            name=name,
            express=self.type == "EXPRESS",
            argument=argument,
            now=clock.now(),
            ids=ids,
        )
        answers = compile_mocks(mocks, self.machine)
        return Session(execution, answers=answers, tasks=tasks, clock=clock, ids=ids, on_entry=on_entry)


def read_as_path(source: Source) -> Path | None:
    """The path that ``load`` would read, or None if the source is the definition itself."""
    if isinstance(source, str):
        return None if "\n" in source or source.lstrip()[:1] in {"", "{"} else Path(source)
    return source if isinstance(source, Path) else None


def _text_of(source: Any) -> str:
    try:
        return as_json(dict(source), "the definition").text
    except (TypeError, ValueError) as error:
        raise DefinitionError([Diagnostic(code="INVALID_JSON_DESCRIPTION", message=str(error))]) from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        fault = Diagnostic(code="INVALID_JSON_DESCRIPTION", message=f"{path} is not UTF-8: {error.reason}")
        raise DefinitionError([fault]) from None


def _on_a_thread(work: Callable[[], Run]) -> Run:
    """Run it beside the caller's event loop, with the caller's context variables; what it raises is raised here."""
    result: list[Run] = []
    raised: list[BaseException] = []

    def target() -> None:
        try:
            result.append(work())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(target,), name="stepwell-run")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
    return result[0]
