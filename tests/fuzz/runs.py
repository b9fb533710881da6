"""Steps: vmap with arguments of all kinds, and what it refuses."""


def is_plain(draw, *names):
    """Whether they are Values of no class of their own, whose operators may write into an argument: that is lost. And
    of no ints: the product of two has no -0.0, but in runs all numbers are floats."""
    values = [draw.worlds.model[name] for name in names]
    return all(type(value) is draw.worlds.model["Value"] and type(value._data) is float for value in values)


def run_of_two(draw):
    w = draw.value(3.0)
    if w is None or draw.replaced:
        return None
    f, b = draw.new("f"), draw.new("b")
    form = draw.one(["w * x + y", "x * y", "(w - x) * (y + w)", "maximum(x * w, y)"])
    options = draw.one(["", ", threads=2", ", saved_bytes=0"])
    return f"{f} = vmap(lambda x, y, w={w}: {form}{options}); {b} = {f}([1.0, -2.0, 0.5], np.array([2, 3, -1]))"


def run_with_shared(draw):
    """An argument that is the same for all rows: a number, or Values, which are parameters then."""
    w = draw.value(3.0)
    if w is None or draw.replaced or not is_plain(draw, w):
        return None
    f, b = draw.new("f"), draw.new("b")
    shared, form = draw.one([("2.0", "x * y"), (w, "x * y + y"), (f"[{w}, {w}]", "x * y[0] + y[1]"),
                             (f"[{w}, 3.0]", "y[0] + x * y[1]")])
    return f"{f} = vmap(lambda x, y: {form}, in_axes=(0, None)); {b} = {f}([1.0, -2.0, 0.5], {shared})"


def run_of_rows(draw):
    """Rows of two numbers."""
    w = draw.value(3.0)
    if w is None or draw.replaced:
        return None
    f, b = draw.new("f"), draw.new("b")
    form = draw.one(["sumprod([w, w], x)", "x[0] * w + x[1]", "mean([x[0], x[1], w])", "linear([[w, x[0]]], x)[0]"])
    count = draw.one([1, 2, 5])
    given = draw.one([f"[[1.0, 2.0]] * {count}", f"np.ones(({count}, 2))",
                      f"np.arange({2 * count}.0).reshape(2, {count}).T"])
    return f"{f} = vmap(lambda x, w={w}: {form}); {b} = {f}({given})"


SUMS = [        # that start from what varies, or from each other; of products that vary; one layer at two places
    "sumprod([w, v], x, x[0] * x[1])",
    "(lambda h: sumprod([w, v], h, h[0]) + sumprod([v, w], h, h[1]))(linear([[w, v], [v, w]], x))",
    "(lambda h: h * (h + w * x[0] + v * x[1]))(x[0] * x[1] + v * x[0] + w * x[1])",
    "sumprod(x, [x[1], x[0]], w) + sumprod(x, x) * v",
    "(lambda g: sumprod(g(g(x)), x))(lambda h: linear([[w, v], [v, w]], h, [v, w]))",
    "(lambda h: [sumprod([w, v], x, h), h, sumprod([v, v], x, h)])(x[1] * w)[0]",
]


def run_of_sums(draw):
    w, v = draw.value(3.0), draw.value(3.0)
    if w is None or draw.replaced:
        return None
    f, b = draw.new("f"), draw.new("b")
    given = draw.one(["[[1.0, 2.0], [-0.5, 0.25], [0.0, 3.0]]", "np.arange(20.0).reshape(10, 2)"])
    return f"{f} = vmap(lambda x, w={w}, v={v}: {draw.one(SUMS)}); {b} = {f}({given})"


def run_of_network(draw):
    """Of parameters that are computed now and then; a network of its own, so that none is replaced later."""
    if draw.replaced:
        return None
    f, b, m = draw.new("f"), draw.new("b"), draw.new("n")
    made = draw.one(["MLP(2, [3, 1])", "MLP(2, [2, 1], activation='tanh')", "Neuron(2)", "MLP(2, [1])"])
    return (f"seed({draw.count}); {m} = {made}; {f} = vmap(lambda x, n={m}: n(x)); "
            f"{b} = {f}([[1.0, 2.0], [-0.5, 0.25]])")


def run_of_dot(draw):
    """A parameter that is a dot."""
    if draw.replaced:
        return None
    v, w, f, b, s = draw.new(), draw.new(), draw.new("f"), draw.new("b"), draw.new()
    return (f"{v}, {w} = Value(0.5), Value(-1.5); {s} = sumprod([{v}, {w}], [{w}, {v}]); "
            f"{f} = vmap(lambda x, w={s}: w * x + w); {b} = {f}([1.0, 3.0])")


def loss_of_run(draw):
    b = draw.any("b")
    if b is None:
        return None
    s, a, out = draw.new(), draw.value(3.0), draw.new()
    if a is None:
        return f"{s} = {b}.mean()\n{out} = {s} * {s}"
    way = draw.one(["sum()", "mean([0.5] * len({b}))", "max()", "min()"])
    if draw.worlds.model[b].blur and way in ("max()", "min()"):    # where numbers differ, so may what is equal
        way = "sum()"
    return f"{s} = {b}.{way.format(b=b)}"


def copied_batch(draw):
    b = draw.any("b")
    return None if b is None else f"{draw.new('b')} = {draw.one(['copy', 'deepcopy'])}({b})"


def untraceable(draw):
    w = draw.value(3.0)
    if w is None or draw.replaced:
        return None
    what = draw.one(["Value(1.0) if x > 0 else x", "x * float(x)", "x.backward()", "x + x.data", "'text'"])
    return f"vmap(lambda x, w={w}: {what})([1.0, 2.0])"


untraceable.here = True     # and an error of any kind there


def large_run(draw):
    """Of several chunks, in threads, perhaps with numbers computed twice."""
    w, b = draw.value(3.0), draw.value(3.0)
    if w is None or draw.replaced:
        return None
    f, batch, s = draw.new("f"), draw.new("b"), draw.new()
    form = draw.one(["w * x + b", "(w * x + b).relu()", "x * w * w", "maximum(w, x) + b"])
    options = draw.one(["", ", threads=2", ", threads=2, saved_bytes=0", ", saved_bytes=0"])
    return (f"{f} = vmap(lambda x, w={w}, b={b}: {form}{options}); "
            f"{batch} = {f}(np.linspace(-1.0, 2.0, {draw.one([70, 600, 2100])})); {s} = {batch}.mean(); del {batch}")


def run_of_several(draw):
    """Several outputs, of which some are used, in any order; what is unused may have slopes that are infinite."""
    w, b = draw.value(3.0), draw.value(3.0)
    if w is None or draw.replaced:
        return None
    f, first, second = draw.new("f"), draw.new("b"), draw.new("b")
    forms = draw.random.sample(["w * x", "w * b * x", "(x + b).tanh()", "sumprod([w, b], [x, x]).relu()", "w", "x",
                                "sumprod([b, w], [x, x], w).relu()", "w * b + x", "stop_gradient(w * x)"], 3)
    unused = draw.one(["x * x", "(w * x * w * x).sqrt()", "((w - w) * x).sqrt()", "(b * w * (w * b)).sqrt() * x"])
    options = draw.one(["", ", saved_bytes=0", ", threads=2"])
    return (f"{f} = vmap(lambda x, w={w}, b={b}: [{', '.join(forms)}, {unused}]{options}); "
            f"{first}, {second} = {f}([0.0, 2.0, {draw.one([-1.5, 0.0])}])[{draw.one(['0:2', '1:3', '0:3:2'])}]")


def stacked_run(draw):
    """Several outputs as one array, and a weighted sum of it."""
    w, v = draw.value(3.0), draw.value(3.0)
    if w is None or draw.replaced:
        return None
    f, b, s = draw.new("f"), draw.new("t"), draw.new()
    forms = draw.random.sample(["w * x", "w * v * x", "(x + v).tanh()", "sumprod([w, v], [x, x]).relu()", "w", "x"], 3)
    axis = draw.one([0, 1])
    weights = draw.one(["", str([[1.0, 0.5, -2.0]] * 4 if axis == 0 else [[1.0, 0.5, -2.0, 0.25]] * 3)])
    options = draw.one(["", ", saved_bytes=0", ", threads=2"])
    return (f"{f} = vmap(lambda x, w={w}, v={v}: [{', '.join(forms)}], out_axes={axis}, stacked=True{options}); "
            f"{b} = {f}([0.5, 2.0, -1.5, 1.0]); {s} = {b}.sum({weights}); del {b}")


def linked_run(draw):
    """A run whose argument is another's result, or the sum of one with another's weights."""
    b, w = draw.any("b"), draw.value(3.0)
    if b is None or w is None or draw.replaced:
        return None
    if draw.random.random() < 0.3:
        other = draw.any("b")
        if len(draw.worlds.model[other]) == len(draw.worlds.model[b]):
            return f"{draw.new()} = {b}.sum({other})"
    f, made = draw.new("f"), draw.new("b")
    form = draw.one(["x * w", "x * x + w", "maximum(x, w) * 0.5", "sumprod([w, x], [x, w])", "stop_gradient(x) * w"])
    options = draw.one(["", ", saved_bytes=0", ", threads=2"])
    return f"{f} = vmap(lambda x, w={w}: {form}{options}); {made} = {f}({b})"


def shared_run(draw):
    """A Batch that is the same for all rows of a run, or an argument of what jit made."""
    b, w = draw.any("b"), draw.value(3.0)
    if b is None or w is None or draw.replaced or not is_plain(draw, w):
        return None
    f = draw.new("f")
    form = draw.one(["x * y[0] + w", "sumprod([w, x], [y[-1], y[0]])", "(y[0] - x) * y[-1] * w",
                     "maximum(x * w, y[0])"])
    if draw.random.random() < 0.5:
        return f"{f} = jit(lambda x, y, w={w}: {form}); {draw.new()} = {f}({draw.one([0.5, -2.0])}, {b})"
    options = draw.one(["", ", saved_bytes=0", ", threads=2"])
    return (f"{f} = vmap(lambda x, y, w={w}: {form}, in_axes=(0, None){options}); "
            f"{draw.new('b')} = {f}([0.5, -1.0, 2.0], {b})")


LOSSES = [      # of a loop over rows, or a mapped function, and two numbers
    "vm(lambda x: {form})(xs).mean() * w",
    "vm(lambda x: {form})(xs).sum([0.5 * x for x in xs]) ** 2 + v",
    "(lambda a: vm(lambda p, x: p * p * x + p * w)(a, xs).sum() * a.mean())(vm(lambda x: {form})(xs))",
    "(lambda a: vm(lambda x, s: x * s[0] * s[-1] + v, in_axes=(0, None))(xs, a).sum())(vm(lambda x: {form})(xs))",
    "(lambda a: a.sum(a) * w + a.sum())(vm(lambda x: {form})(xs))",
    "(lambda a: a[0].sum() * a[1].mean() + a[0].sum(a[1]))(vm(lambda x: [{form}, x * w * v])(xs))",
    "vm(lambda p: p[0] * p[-1] + p[0] * w, in_axes={axis})(vm(lambda x: [{form}, x * v], stacked=True)(xs)).sum()",
]
FORMS = ["(x * w).tanh() * v", "sumprod([w, v], [x, w], x)", "where(x, x * w * v, w * w)", "(x * w + v).sin() * x * w",
         "take([w * v, v], 0.0 * x) * x", "stop_gradient(x * w) * w * v",
         "sum([(x * w * t).exp() for t in (0.1, 0.2)]) * v", "maximum(x * w, v) * w",
         "linear([[w, v], [v, w]], [x, x * w])[1] * w",
         "scan(lambda h, y: ((h * w + y).sin(), h * v), x, [x, x * v] * 20)[0]",
         "sum(scan(lambda h, y: ((h * w + y).sin(), h * v), v, [x] * 33)[1])",
         "scan(lambda h, y, kept=[v]: (kept.append(kept[-1] * 0.5 + y), (kept[-1] * h, None))[1], x, [x, w] * 20)[0]",
         "take([v, w * v], (w - w).floor()) * x"]


def derivatives_of_runs(draw):
    """Of the second order and the third, beside those of a loop."""
    if draw.replaced:       # by what may be an op of one's own, of which there is no derivative to record
        return None
    loss = draw.one(LOSSES).replace("{form}", draw.one(FORMS)).replace("{axis}", draw.one(["0", "1"]))
    rows = draw.one(["[0.5]", "[0.5, -1.0, 2.0]", "[0.25 * k - 1.1 for k in range(9)]"])
    order = draw.one(["hessian(f)", "jacfwd(jacfwd(f))", "lambda p: jvp(grad(f), (p,), ([1.0, -0.5],))",
                      "lambda p: grad(lambda p: jvp(f, (p,), ([1.0, -0.5],))[1])(p)", "jacfwd(hessian(f))"])
    at = [draw.one([0.5, -1.25, 0.75]), draw.one([1.5, -0.5, 0.25])]
    return f"alike(lambda vm, w, v, xs={rows}: {loss}, lambda f: {order}, {at})"


derivatives_of_runs.here = True


def kept_from_trace(draw):
    """A Value that outlives the trace that it was made in."""
    w = draw.value(3.0)
    if w is None or draw.replaced or type(draw.worlds.model[w]) is not draw.worlds.model["Value"]:
        return None     # operators of a class may write into w, which the model would not see
    kept = draw.new("k")
    what = draw.one(["x", "w * x", "(x + 1.0).exp()", "maximum(x, w)", "no_grad()(lambda: x * w)()"])
    use = draw.one([f"{kept}[0] + 1.0", f"{w} * {kept}[0]", f"{kept}[0].data", f"{kept}[0].backward()",
                    f"sumprod([{w}], {kept})", f"vmap(lambda y: y * {kept}[0])([1.0])", f"{kept}[0].grad",
                    f"maximum({kept}[0], {w})", f"setattr({kept}[0], 'data', 1.0)", f"Value(1.0, ({kept}[0],), 'op')"])
    return (f"{kept} = []; vmap(lambda x, w={w}, kept={kept}: (kept.append({what}), w + x)[1])([1.0, 2.0])\n"
            f"try:\n    {use}\nexcept TypeError:\n    {kept}.append('refused')\nassert {kept}[-1] == 'refused'")


kept_from_trace.here = True


PLACES = ["sum([(y * w).tanh() * v for y in x])", "sum([(y + w) * v + y for y in x]) * w",
          "sum([sumprod([w, v], [y, y], w).relu() * y for y in x])", "sum([maximum(y * w, v) for y in x])",
          "sum([linear([[w, v], [v, w]], [y, 1.0])[1] * (y + v) for y in x])"]


def run_of_places(draw):
    """Few rows of equal steps, as often as it takes until they are packed."""
    w, v = draw.value(3.0), draw.value(3.0)
    if w is None or draw.replaced:
        return None
    f, b = draw.new("f"), draw.new("b")
    rows = draw.one([1, 2, 3])
    return (f"{f} = vmap(lambda x, w={w}, v={v}: {draw.one(PLACES)}); "
            f"[{f}(np.ones(({rows}, 9))) for _ in range(4)]; "
            f"{b} = {f}(np.linspace(-1.0, 1.0, {9 * rows}).reshape({rows}, 9))")


def compiled(draw):
    """By jit: numbers, Values among the arguments, and Values from outside."""
    w, v = draw.value(3.0), draw.value(3.0)
    if w is None or draw.replaced or not is_plain(draw, w, v):
        return None
    f, a, b = draw.new("f"), draw.new(), draw.new()
    form = draw.one(["w * x + y", "(x * y).tanh() * w", "sumprod([w, y], [x, x])", "maximum(w * x, y)", "w * w + y"])
    again = draw.one([f"{b} = {f}({a}, {v})", f"{b} = {f}(-1.5, {w})", f"{b} = {f}({v}, {v})"])
    return f"{f} = jit(lambda x, y, w={w}: {form}); {a} = {f}(0.5, {v}); {again}"


def compiled_over_dots(draw):
    """By jit, of sums of products, which follow one another on the tape and are replaced by many nodes later.

    Of two Values: equal products could not be told apart by whoever picks one.
    """
    w, v = draw.value(3.0), draw.value(3.0)
    if w is None or w == v or draw.replaced or not is_plain(draw, w, v):
        return None
    x, y, z, a = draw.new(), draw.new(), draw.new(), draw.new()
    return (f"{x}, {y}, {z} = [sumprod([{w}, {v}], [{v}, {v}]) for _ in range(3)]; "
            f"{a} = jit(lambda x, y, z: (x * 0.5 + y) * z)({x}, {y}, {z})")


TAKEN = [       # with all Values in each row's result, as the model finds parameters by a row's
    "take([w, v], x) * 2.0 + (w + v) * x", "take([[w, v], [v, w]], x)[1] * w + v",
    "take([w, v, Value(3.0)], x).relu() + w * v", "sumprod(take([[w, 1.0], [v, w]], x), [v, w])",
]
INNER = [
    "vmap(lambda y: y * w)([x, v, 1.0]).sum()", "vmap(lambda y: (y * w).tanh())([x, x + v]).mean() * v",
    "vmap(lambda y, z: y * z + w, (0, None))([x, v], x).sum([2.0, w])",
    "sumprod(vmap(lambda y: [y * w, y + v])([x, 2.0])[0], [w, v])",
    "vmap(lambda y: take([w, v], y))([x, x]).sum() + w * v",
    "vmap(lambda y: vmap(lambda z: z * y + w)([x, v]).sum())([x, 3.0]).mean()",
]


LOOPED = [      # enough steps to stay a loop, or few of them
    "scan(lambda h, y: ((h * w + y).tanh(), h * v), x * 0.5, [x * 0.1] * {steps})[0] + v",
    "sum(scan(lambda h, y: ((h * v + y * x).tanh(), h * w), 0.5, [0.1 * k for k in range({steps})])[1]) * 0.1",
    "scan(lambda h, y: (maximum(h * w, y).tanh(), h), v * x, [w, x, v, 1.0] * {steps})[1][-2] * w + v",
    "sumprod(*zip(*scan(lambda h, y: ([h[1], (h[0] * w + y).sigmoid()], h), [x, v * x], [x * v] * {steps})[1]))",
    "scan(lambda h, y: (scan(lambda g, z: ((g * w + z).tanh(), h), h, [y] * {steps})[0] + v, y), x, [x] * 40)[0]",
    "scan(lambda h, y: ((h * take([w, v], y) + v).tanh() * w, y), x, [x * 0.0, x * 0.0] * {steps})[0]",
]


def run_with_loop(draw):
    """A scan in a function that is traced."""
    w, v = draw.value(3.0), draw.value(3.0)
    if w is None or draw.replaced or not is_plain(draw, w, v):
        return None
    f, form = draw.new("f"), draw.one(LOOPED).format(steps=draw.one([1, 9, 40, 80]))
    if draw.random.random() < 0.3:
        a = draw.new()
        return f"{f} = jit(lambda x, w, v: {form}); {a} = {f}({draw.one([0.0, 1.5, -1.0])}, {w}, {v})"
    b, options = draw.new("b"), draw.one(["", ", threads=2", ", saved_bytes=0"])
    return f"{f} = vmap(lambda x, w={w}, v={v}: {form}{options}); {b} = {f}(np.linspace(-1.0, 1.0, 9))"


def scan_of_values(draw):
    """Eagerly."""
    w, v, a = draw.value(3.0), draw.value(3.0), draw.new()
    if w is None or draw.replaced or not is_plain(draw, w, v):
        return None
    return f"{a} = scan(lambda h, y: ((h * {w} + y).tanh(), h), {v}, [{w}, {v}, 0.5] * {draw.one([1, 20])})[0]"


def run_with_index(draw, forms):
    """By vmap, or by jit with the Values as arguments; x is an index, too."""
    w, v = draw.value(3.0), draw.value(3.0)
    if w is None or draw.replaced or not is_plain(draw, w, v):
        return None
    f, form = draw.new("f"), draw.one(forms)
    if draw.random.random() < 0.3:
        a = draw.new()
        return f"{f} = jit(lambda x, w, v: {form}); {a} = {f}({draw.one([0, 1, -1.0])}, {w}, {v})"
    b, given = draw.new("b"), draw.one(["[0, 1, 1]", "[-1.0]", "np.array([1.0, -2.0, 0.0, 1.0])"])
    options = draw.one(["", ", threads=2", ", saved_bytes=0"])
    return f"{f} = vmap(lambda x, w={w}, v={v}: {form}{options}); {b} = {f}({given})"


KINDS = {
    "run_of_taken": (1, lambda draw: run_with_index(draw, TAKEN)),
    "run_with_loop": (1, run_with_loop), "scan_of_values": (0.5, scan_of_values),
    "run_in_run": (1, lambda draw: run_with_index(draw, INNER)),
    "run_of_two": (1, run_of_two), "run_with_shared": (1, run_with_shared), "run_of_rows": (1, run_of_rows),
    "run_of_sums": (2, run_of_sums), "run_of_network": (1, run_of_network),
    "run_of_dot": (1, run_of_dot), "loss_of_run": (2, loss_of_run), "copied_batch": (0.5, copied_batch),
    "untraceable": (0.3, untraceable), "large_run": (0.1, large_run),
    "stacked_run": (1, stacked_run), "linked_run": (2, linked_run),
    "shared_run": (2, shared_run), "derivatives_of_runs": (0.5, derivatives_of_runs),
    "run_of_places": (1, run_of_places), "compiled": (2, compiled), "compiled_over_dots": (1, compiled_over_dots),
    "run_of_several": (2, run_of_several), "kept_from_trace": (0.3, kept_from_trace),
}
