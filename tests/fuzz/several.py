"""Steps: functions of several Values, networks, optimizers, vmap, no_grad."""

from micrograd_c import nn


def products(draw):
    names, others = draw.some(2, 5), draw.some(2, 5)
    if not names:
        return None
    others = (others * 3)[:len(names)]
    if draw.chance(0.2):
        others[0] = draw.plain()
    start = draw.one(["", "", f", {draw.plain()}", f", {draw.value(30.0)}"])
    return f"{draw.new()} = sumprod([{', '.join(names)}], [{', '.join(others)}]{start})"


def fresh_products(draw):
    """Of Values that are neighbours on the tape."""
    n = draw.random.randint(2, 6)
    ws = [draw.new() for _ in range(n)]
    data = ", ".join(repr(draw.one([0.5, -1.5, 2.0, -0.25, 1.0])) for _ in ws)
    b, out = draw.value(30.0), draw.new()
    xs = draw.some(n, n) or ws
    start = f", {b}" if b and draw.chance(0.7) else ""
    return f"{', '.join(ws)} = map(Value, [{data}]); {out} = sumprod([{', '.join(ws)}], [{', '.join(xs)}]{start})"


def products_with_numbers(draw):
    """Of Values and numbers, which dots keep once for all."""
    names = draw.some(2, 4)
    if not names:
        return None
    numbers = f"[{', '.join(draw.plain() for _ in names)}]"
    values = f"[{', '.join(names)}]"
    pair = draw.one([f"{values}, {numbers}", f"{values}, {numbers}", f"{numbers}, {values}"])
    out, other = draw.new(), draw.new()
    return draw.one([f"{out} = sumprod({pair})", f"{out}, {other} = linear([{values}, {values}], {numbers})",
                     f"{out}, {other} = linear([{numbers}, {numbers}], {values})"])


def changed_since(draw):
    """Data is assigned to between a network's call, or two, and the sweep."""
    m = draw.any("m")
    names = draw.some(2, 2)
    if m is None or not names:
        return None
    first, second, out = draw.new(), draw.new(), draw.new()
    numbers = f"[{draw.plain()}, {draw.plain()}]"
    change = draw.one([
        f"{m}.parameters()[{draw.random.randrange(6)}].data = {draw.plain()}", f"{names[0]}.data = {draw.plain()}",
        f"for v0 in {m}.parameters(): v0.data -= 0.1 * v0.grad\ndel v0",
    ])
    total = "sum([v * v for v in l1]) if type(l1) is list else l1 * 1"
    looked = draw.one(["", "", f"; x0 = len({first}._prev)", f"; {first}.backward()"])
    inputs = draw.one([numbers, numbers, f"[{names[0]}, {names[1]}]"])
    lines = [f"l1 = {m}({inputs}); {first} = {total}; del l1", change]
    if draw.chance(0.5):
        lines += [lines[0].replace(first, second), change]
    else:
        lines.append(f"{second} = {first}")
    return "\n".join([*lines, f"{out} = {first} + {second}{looked}", f"{out}.backward()"])


def rows(draw):
    names = draw.some(2, 3)
    if not names:
        return None
    matrix = [draw.some(len(names), len(names)) for _ in range(draw.random.randint(1, 3))]
    outs = [draw.new() for _ in matrix]
    text = ", ".join(f"[{', '.join(row)}]" for row in matrix)
    biases = f", [{', '.join(draw.some(len(matrix), len(matrix)))}]" if draw.chance(0.5) else ""
    return f"{', '.join(outs)}, = linear([{text}], [{', '.join(names)}]{biases})"


def reduction(draw):
    names = draw.some(1, 5)
    if not names:
        return None
    if draw.chance(0.2):
        names.append(draw.plain())
    listed = f"[{', '.join(names)}]"
    out = draw.new()
    return draw.one([f"{out} = mean({listed})", f"{out} = logsumexp({listed})",
                     f"{out} = cross_entropy({listed}, {draw.random.randrange(len(names))})",
                     f"{out} = log_softmax({listed})[{draw.random.randrange(len(names))}]",
                     f"{out} = softmax({listed})[{draw.random.randrange(len(names))}]"])


def choice(draw):
    a, b, c = draw.value(), draw.value(), draw.value()
    if a is None:
        return None
    b = draw.one([b, b, draw.plain()])
    return f"{draw.new()} = " + draw.one([f"maximum({a}, {b})", f"minimum({b}, {a})", f"where({a}, {b}, {c})",
                                         f"where({a} > {c}, {a}, {b})", f"stop_gradient({a})"])


# --- networks and optimizers ---

ACTIVATIONS = [*map(repr, nn.ACTIVATIONS), "lambda v: v.relu() * 2", "Value.tanh"]


def network(draw):
    m = draw.new("m")
    options = f", activation={draw.one(ACTIVATIONS)}" if draw.chance(0.6) else ""
    each = f"activation=[{draw.one(ACTIVATIONS)}, {draw.one(ACTIVATIONS)}]"
    made = draw.one([f"MLP(2, [3, 1]{options})", f"MLP(2, [3, 2], {each})", f"MLP(2, [2, 2]{options})",
                     f"Layer(2, 2{options})",
                     f"Neuron(2{options})", "Neuron(2, nonlin=False)", f"MLP(2, [4, 1, 1]{options})"])
    return f"seed({draw.count}); {m} = {made}"


def call(draw):
    m = draw.any("m")
    names = draw.some(2, 2)
    if m is None or not names:
        return None
    xs = [draw.one([name, name, draw.plain()]) for name in names]
    if draw.chance(0.3):
        xs[0], xs[1] = draw.plain(), draw.plain()
    out = draw.new()
    return f"l1 = {m}([{', '.join(xs)}]); {out} = l1[-1] if type(l1) is list else l1; del l1"


def loss(draw):
    m = draw.any("m")
    names = draw.some(2, 2)
    if m is None or not names:
        return None
    out = draw.new()
    return (f"l1 = {m}([{', '.join(names)}]); {out} = sum([v * v for v in l1]) if type(l1) is list else l1 ** 2; "
            f"del l1; {out}.backward()")


def change_parameter(draw):
    m, a = draw.any("m"), draw.value(3.0)
    if m is None or a is None:
        return None
    k = draw.random.randrange(6)
    return draw.one([f"{m}.parameters()[{k}].data = {draw.plain()}", f"{m}.parameters()[{k}].data = 2",
                     f"{m}.zero_grad()", f"{m}.zero_grad(set_to_none=True)", f"{m}.parameters()[{k}].label = 'w'",
                     f"for v0 in {m}.parameters(): v0.data -= 0.1 * v0.grad\ndel v0"])


def replace_parameter(draw):
    m, a = draw.any("m"), draw.value(3.0)
    if m is None or a is None:
        return None
    return draw.one([f"{m}.layers[0].neurons[0].w[0] = {a}", f"{m}.neurons[0].b = {a}", f"{m}.w[1] = {a}",
                     f"{m}.layers[0].neurons[1].w = {m}.layers[0].neurons[0].w", f"{m}.b = {a}",
                     f"{m}.layers[0].neurons[0].nonlin = False", f"{m}.neurons[0].activation = 'tanh'"])


def optimizer(draw):
    names = list(dict.fromkeys(draw.some(1, 4) or []))
    m = draw.any("m")
    if not names:
        return None
    params = f"{m}.{draw.one(['', 'named_'])}parameters()" if m and draw.chance(0.6) else f"[{', '.join(names)}]"
    made = draw.one([
        f"SGD({params}, lr=0.125)", f"SGD({params}, lr=0.1, momentum=0.9)",
        f"SGD({params}, lr=0.1, momentum=0.5, nesterov=True, weight_decay=0.01)",
        f"SGD({params}, lr=0.01, momentum=0.5, dampening=0.25, maximize=True)", f"Adam({params}, lr=0.01)",
        f"Adam({params}, lr=0.01, amsgrad=True, weight_decay=0.1)", f"AdamW({params}, lr=0.01, betas=(0.5, 0.9))",
    ])
    return f"{draw.new('o')} = {made}"


def optimize(draw):
    o = draw.any("o")
    return o and draw.one([f"{o}.step()", f"{o}.step()", f"{o}.zero_grad()", f"{o}.zero_grad(set_to_none=True)"])


# --- vmap ---

FORMS = ["w * x", "w * x + b", "(w * x + b).relu()", "w + x * b", "x * x * w", "(x - w) ** 2", "maximum(x, w) * b",
         "stop_gradient(w) * x", "stop_gradient(w * x) + b", "where(x, w, b)", "(w * x).tanh()", "(w + x).sigmoid()",
         "(w * 0.01 + x * 0.1).exp()", "(abs(w) + x * x + 1).log()", "(w * w + 1).sqrt() * x", "[w * x, b + x]",
         "[w * x, w * b]", "x", "w", "sumprod([w, b], [x, x])", "mean([w * x, b, x])", "softmax([w * x, b])[0]",
         "w / (x * x + 1)", "1 / 0 * x", "[w * x + b, x, w]", "(w * x).sin() + b.cos()", "logsumexp([w * x, b])"]


def mapped(draw):
    w, b = draw.value(3.0), draw.value(3.0)
    if w is None or draw.replaced:
        return None
    f = draw.new("f")
    draw.mapped.add(f)
    return f"{f} = vmap(lambda x, w={w}, b={b}: {draw.one(FORMS)})"


def run(draw):
    f = draw.any_mapped()
    if f is None or draw.replaced:
        return None
    count = draw.one([1, 2, 3, 3, 9])
    numbers = [draw.one([1.0, 2.0, -1.5, 0.5, 0.0, 3.0]) for _ in range(count)]
    given = repr(numbers)
    if draw.chance(0.3):
        given = f"np.array({given})"
    b = draw.new("b")
    return f"{b} = {f}({given}); {b} = {b}[{draw.one([0, -1])}] if type({b}) is list else {b}"


def total(draw):
    b = draw.any("b")
    if b is None:
        return None
    count = len(draw.worlds.model[b])
    weights = repr([draw.one([1.0, 0.5, -1.0, 0.0]) for _ in range(count)])
    return f"{draw.new()} = {b}." + draw.one(["sum()", "sum()", "mean()", f"sum({weights})", f"mean({weights})"])


def run_and_sum(draw):
    f = draw.any_mapped()
    if f is None or draw.replaced:
        return None
    return f"b1 = {f}([1.0, 2.0, -3.0]); {draw.new()} = (b1[0] if type(b1) is list else b1).sum(); del b1"


KINDS = {
    "products": (4, products), "fresh_products": (3, fresh_products),
    "products_with_numbers": (3, products_with_numbers), "changed_since": (3, changed_since),
    "rows": (1, rows), "reduction": (3, reduction),
    "choice": (3, choice), "network": (1, network), "call": (3, call), "loss": (2, loss),
    "change_parameter": (2, change_parameter), "replace_parameter": (1, replace_parameter),
    "optimizer": (1, optimizer), "optimize": (2, optimize), "mapped": (3, mapped), "run": (3, run),
    "total": (4, total), "run_and_sum": (2, run_and_sum),
}
