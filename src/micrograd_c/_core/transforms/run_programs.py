"""Programs for the derivatives of a mapped function's: what each row gets from its outputs, or gives to them.

Knows Programs and derivatives of traces. Knows nothing of runs, or of where the numbers for these programs come from.
They are kept with the Program that they are derivatives of.
"""

from __future__ import annotations

from micrograd_c._core.mapped import executor, lowering  # type: ignore[attr-defined]  # compiled, without stubs
from micrograd_c._core.mapped.traceable import MOST_SPECIALIZATIONS, for_measurements, one_trace
from micrograd_c._core.mapped.vmap import SAVED_BYTES
from micrograd_c._core.transforms import derivatives, replaying  # type: ignore[attr-defined]  # compiled, without stubs
from micrograd_c._core.transforms.structure import as_value
from micrograd_c._core.value import tracing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from micrograd_c._core.value.value import Value

__all__ = ["LINKED", "NUMBER", "ONE", "VALUE", "pull_runner", "push_runner"]

ONE, NUMBER, VALUE, LINKED = "one", "number", "value", "linked"     # what an amount is, or a column of them


class Arguments:
    """Those of such a program, in a trace: of the function that it is a derivative of, and then amounts."""

    def __init__(self, program: Any, linked: tuple[int, ...]) -> None:
        self.columns: list[int] = []
        self.shared: list[int] = []
        self.given: list[int] = []
        self.linked = list(linked)
        self.inputs = [tracing.argument(self.columns) for _ in range(program.inputs)]
        self.uniforms = [tracing.argument(self.given) for _ in range(program.uniform_count)]
        numbers = [tracing.argument(self.shared) for _ in range(program.shared)]
        self.outputs: list[Value] = replaying.replay(program, self.inputs, self.uniforms + numbers)

    def amount(self, kind: str) -> Any:
        """One that is the same for all rows."""
        return 1.0 if kind == ONE else tracing.argument(self.shared if kind == NUMBER else self.given)

    def column(self, kind: str) -> Value:
        """One for each row."""
        if kind == LINKED:
            self.linked.append(len(self.columns))
        return tracing.argument(self.columns)

    def compiled(self, found: list[Any]) -> Any:
        return lowering.compile(
            [as_value(one) for one in found], self.columns, self.shared, self.given, self.linked)


def kept(program: Any, threads: int, key: tuple[Any, ...], compiled: Any) -> Any:
    """The Runner of what `compiled` makes of Arguments, which is known by that key."""
    key = (threads, *key)
    runner = program.derived.get(key)
    if runner is None:
        with one_trace():
            made = tracing.trace(compiled)
        runner = executor.Runner(made, None, threads, SAVED_BYTES, *for_measurements())
        while len(program.derived) >= MOST_SPECIALIZATIONS:
            program.derived.pop(next(iter(program.derived)), None)
        program.derived[key] = runner
    return runner


def pull_runner(
    program: Any, threads: int, linked: tuple[int, ...], parts: tuple[tuple[int, str, str | None], ...],
    uniforms: tuple[int, ...], inputs: tuple[int, ...],
) -> Any:
    """A Runner for what each row adds to the gradients of some uniforms, and for the gradients of some inputs.

    `linked` are the inputs that are linked. The adjoint of an output is the sum of its parts: an output, the kind of
    an amount, and that of the column that it is multiplied by, or None.
    """
    def compiled() -> Any:
        given = Arguments(program, linked)
        adjoints: dict[int, Any] = {}
        for output, kind, column in parts:
            amount = given.amount(kind)
            if column is not None:
                amount = given.column(column) * amount if kind != ONE else given.column(column)
            adjoints[output] = adjoints[output] + amount if output in adjoints else amount
        wanted = [given.uniforms[k] for k in uniforms] + [given.inputs[k] for k in inputs]
        (found,) = derivatives.reverse(given.outputs, [list(adjoints.items())], wanted)
        return given.compiled(found)
    return kept(program, threads, ("pull", linked, parts, uniforms, inputs), compiled)


def push_runner(
    program: Any, threads: int, linked: tuple[int, ...], uniforms: tuple[tuple[int, str], ...],
    inputs: tuple[tuple[int, str], ...],
) -> Any:
    """A Runner for what all outputs change by if some uniforms do, each by an amount, and some inputs by columns."""
    def compiled() -> Any:
        given = Arguments(program, linked)
        amounts = [given.amount(kind) for _, kind in uniforms] + [given.column(kind) for _, kind in inputs]
        changed = [given.uniforms[k] for k, _ in uniforms] + [given.inputs[k] for k, _ in inputs]
        (found,) = derivatives.forward(given.outputs, [list(enumerate(amounts))], changed)
        return given.compiled(found)
    return kept(program, threads, ("push", linked, uniforms, inputs), compiled)
