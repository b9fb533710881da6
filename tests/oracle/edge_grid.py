"""PyTorch's and JAX's numbers for the grid of tests/edges.py: python tests/oracle/edge_grid.py writes
tests/data/edge_grid.json, and prints, and writes to docs/numbers.md, how many cells there are, in how many the two
agree, and how the others are chosen.

Both compute in float64. The file has a list of all numbers, as text, and for each case their places in it: value and
gradients of each cell by PyTorch, and by JAX where these are others.
"""

import json
import pathlib
import re
import sys
from types import SimpleNamespace

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import edge_optim
from edge_choices import FILE, counts
from edges import CASES, FUNCTIONS, same

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "numbers.md"


def torch_numbers(case):
    """For each cell value and gradients, all cells at once."""
    import torch
    import torch.nn.functional as F

    def stacked(xs):
        return torch.stack(torch.broadcast_tensors(*[torch.as_tensor(x, dtype=torch.float64) for x in xs]))

    library = SimpleNamespace(
        stop_gradient=torch.Tensor.detach, atan2=torch.atan2, maximum=torch.maximum, minimum=torch.minimum,
        where=lambda c, x, y: torch.where(c.bool(), x, y),
        sumprod=lambda ws, xs, start: start + (stacked(ws) * stacked(xs)).sum(0),
        linear=lambda rows, xs, biases: [b + (stacked(row) * stacked(xs)).sum(0) for row, b in zip(rows, biases)],
        softmax=lambda xs: torch.softmax(stacked(xs), 0), mean=lambda xs: stacked(xs).mean(0),
        logsumexp=lambda xs: torch.logsumexp(stacked(xs), 0), log_softmax=lambda xs: torch.log_softmax(stacked(xs), 0),
        cross_entropy=lambda xs, target: torch.nn.functional.cross_entropy(
            stacked(xs).T, torch.full((len(xs[0]),), target), reduction="none"),
        **{**{name: getattr(torch, name, getattr(F, name, None)) for name in FUNCTIONS if name != "stop_gradient"},
           "log_sigmoid": F.logsigmoid, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh")},
    )
    columns = [torch.tensor(column, dtype=torch.float64) for column in zip(*case.cells)]
    variables = [columns[k].requires_grad_() for k in case.variables()]
    out = case.function(library, *columns)
    if out.requires_grad:
        out.backward(torch.full_like(out, case.seed))
    gradients = [(torch.zeros_like(x) if x.grad is None else x.grad).tolist() for x in variables]
    return [list(cell) for cell in zip(out.tolist(), *gradients)]


def jax_numbers(case):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    library = SimpleNamespace(
        neg=jnp.negative, atan2=jnp.arctan2, erf=jax.scipy.special.erf, erfc=jax.scipy.special.erfc,
        stop_gradient=jax.lax.stop_gradient, maximum=jnp.maximum, minimum=jnp.minimum,
        where=lambda c, x, y: jnp.where(c.astype(bool), x, y), relu=jax.nn.relu, sigmoid=jax.nn.sigmoid,
        sumprod=lambda ws, xs, start: start + (jnp.array(ws) * jnp.array(xs)).sum(),
        linear=lambda rows, xs, biases: [b + (jnp.array(row) * jnp.array(xs)).sum() for row, b in zip(rows, biases)],
        softmax=lambda xs: jax.nn.softmax(jnp.array(xs)), mean=lambda xs: jnp.array(xs).mean(),
        logsumexp=lambda xs: jax.nn.logsumexp(jnp.array(xs)),
        log_softmax=lambda xs: jax.nn.log_softmax(jnp.array(xs)), leaky_relu=jax.nn.leaky_relu,
        softplus=jax.nn.softplus, log_sigmoid=jax.nn.log_sigmoid, silu=jax.nn.silu,
        gelu=lambda x: jax.nn.gelu(x, approximate=False), gelu_tanh=lambda x: jax.nn.gelu(x, approximate=True),
        cross_entropy=lambda xs, target: -jax.nn.log_softmax(jnp.array(xs))[target],
        **{name: getattr(jnp, name) for name in FUNCTIONS if hasattr(jnp, name)},
    )
    variables = case.variables()

    def cell(*numbers):
        def function(*given):
            arguments = list(numbers)
            for k, x in zip(variables, given):
                arguments[k] = x
            return case.function(library, *arguments)
        value, pull = jax.vjp(function, *[numbers[k] for k in variables])
        return (value, *pull(jnp.float64(case.seed)))

    columns = [jnp.array(column, dtype=jnp.float64) for column in zip(*case.cells)]
    return [list(cell) for cell in zip(*[column.tolist() for column in jax.vmap(cell)(*columns)])]


def main():
    numbers, content = {}, {"numbers": [], "torch": {}, "jax": {}, "optimizers": {}}

    def index(x):
        return numbers.setdefault(repr(x), len(numbers))

    for name, case in CASES.items():
        torchs = torch_numbers(case)
        content["torch"][name] = [index(x) for answer in torchs for x in answer]
        others = {
            k: [index(x) for x in jaxs] for k, (torch, jaxs) in enumerate(zip(torchs, jax_numbers(case)))
            if not same(torch, jaxs)
        }
        if others:
            content["jax"][name] = others
    content["optimizers"] = {name: [[index(x) for x in step] for step in edge_optim.torch_numbers(*setting)]
                             for name, setting in edge_optim.NAMED.items()}
    content["numbers"] = list(numbers)
    FILE.write_text(json.dumps(content, separators=(",", ":")).replace('],"', '],\n"').replace('},"', '},\n"') + "\n")
    said = summary()
    print(said, end="")
    text = DOCS.read_text(encoding="utf-8")
    text = re.sub(r"(?<=```\n)\d+ cells; .*?(?=```\n)", said, text, count=1, flags=re.DOTALL)
    DOCS.write_text(text, encoding="utf-8")


def summary():
    cells, agreed, chosen = counts()
    steps = len(edge_optim.NAMED) * len(edge_optim.CELLS) * edge_optim.STEPS
    return "".join(f"{line}\n" for line in [
        f"{cells} cells; in {agreed} PyTorch and JAX agree, and are right; {sum(chosen.values())} are chosen:",
        *[f"{count:6} {name}" for name, count in chosen.items()],
        f"{steps} steps of optimizers, by PyTorch",
    ])


if __name__ == "__main__":
    main()
