"""Draws pictures of the README and the tutorial from what is committed: `python docs/draw.py`.

demo-step.svg is a chart of run A in results.md, and needs nothing installed. moons.png is what the demo has learned,
and moons.gif how it learned it. These need the extra `plot`, and are left as they are with --chart.
"""

import math
import pathlib
import re
import sys

DOCS = pathlib.Path(__file__).parent
HEADING = "### A training step of micrograd's demo: 100 points, forward, backward, update\n"
ROWS = {        # of the table: what the chart calls them, and their colour
    "micrograd, as it comes": ("micrograd", "#1f77b4"),
    "micrograd, gc.disable()": ("micrograd, gc.disable()", "#1f77b4"),
    "XAD": ("XAD", "#b0b0b0"),
    "plain Python floats": ("Python floats, by hand", "#b0b0b0"),
    "PyTorch [2]": ("PyTorch, all at once", "#b0b0b0"),
    "micrograd_c": ("micrograd_c", "#d62728"),
    "NumPy by hand [2]": ("NumPy, by hand", "#b0b0b0"),
    "JAX, jit [3]": ("JAX jit, all at once", "#b0b0b0"),
}
UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
WIDTH, LEFT, RIGHT, ROW, TOP = 460, 172, 62, 24, 44
FASTEST = 3e-5          # seconds at the left end of the bars; their scale is logarithmic


def minima():
    """{row of the table: its fastest time as it is written}."""
    table = (DOCS / "results.md").read_text(encoding="utf-8").partition(HEADING)[2].partition("\n#")[0]
    return {row.strip(): time for row, time in re.findall(r"^\| ([^|]+)\| +([\d.]+ \w+) \|", table, re.MULTILINE)}


def seconds(time):
    number, unit = time.split()
    return float(number) * UNITS[unit]


def chart():
    """The SVG's text."""
    times = {row: minima()[row] for row in ROWS}
    scale = (WIDTH - LEFT - RIGHT) / math.log(max(map(seconds, times.values())) / FASTEST)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {TOP + ROW * len(times) + 24}" '
        f'width="{WIDTH}" role="img" font-family="sans-serif" font-size="12">',
        "<title>A training step of micrograd's demo, fastest time of each side in run A</title>",
        '<rect width="100%" height="100%" fill="white"/>',
        '<text x="12" y="22" font-size="14" font-weight="bold">A training step of micrograd\'s demo</text>',
    ]
    for k, (row, time) in enumerate(times.items()):
        title, colour = ROWS[row]
        y, length = TOP + ROW * k, scale * math.log(seconds(time) / FASTEST)
        lines += [
            f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{title}</text>',
            f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="16" fill="{colour}"/>',
            f'<text x="{LEFT + length + 5:.1f}" y="{y + 12}">{time}</text>',
        ]
    lines.append(
        f'<text x="12" y="{TOP + ROW * len(times) + 14}" font-size="10" fill="#555">'
        "Fastest of run A, logarithmic scale, one thread, float64; see docs/results.md.</text>"
    )
    return "\n".join([*lines, "</svg>", ""])


def draw_moons():
    """What the demo learns in its 100 steps."""
    from matplotlib.figure import Figure

    from micrograd_c.animation import Animation
    from micrograd_c.demo import STEPS, Training, load_moons
    from micrograd_c.viz import plot_boundary

    training = Training("micrograd_c")
    animation = Animation(str(DOCS / "moons.gif"), *load_moons())       # as `micrograd-c demo --animate` does
    for k in range(STEPS):
        animation.see(k, training.model, *training.step())
    animation.write()
    figure = Figure(figsize=(3.6, 2.8), dpi=100, layout="constrained")
    axes = plot_boundary(training.model, *load_moons(), axes=figure.subplots())
    axes.tick_params(labelsize=7)
    figure.savefig(DOCS / "moons.png", metadata={"Software": None})


if __name__ == "__main__":
    (DOCS / "demo-step.svg").write_text(chart(), encoding="utf-8")
    if "--chart" not in sys.argv:
        draw_moons()
