"""The rooms of the core: imports point one way between them. `python tests/test_rooms.py` prints the arrows."""

import collections
import pathlib
import re

import pytest

CORE = pathlib.Path(__file__).parents[1] / "src" / "micrograd_c" / "_core"
# each may use those before it; the last, which gives what people import to programs that import micrograd, all
ROOMS = ["ops", "tape", "value", "bulk", "modules", "training", "mapped", "transforms",
         "adopted", "explained", "drop_in"]
NAMED = re.compile(r"^ *(?:from|c?import) micrograd_c(?:\._core\.(\w+))?[\w.]*", re.MULTILINE)

pytestmark = pytest.mark.skipif(not CORE.is_dir(), reason="the sources are not here")


def arrows():
    """{(from, to): files}; a room's own imports are none, those of what people import are to `public`."""
    found = collections.defaultdict(set)
    for path in sorted(CORE.rglob("*")):
        if path.suffix in (".py", ".pyx", ".pxd"):
            room = path.relative_to(CORE).parts[0]
            for other in NAMED.findall(path.read_text(encoding="utf-8")):
                if other != room:
                    found[room, other or "public"].add(path.name)
    return found


def test_imports_point_one_way():
    back = {
        (room, other): files for (room, other), files in arrows().items()
        if room != ROOMS[-1] and (other == "public" or ROOMS.index(other) > ROOMS.index(room))
    }
    assert not back


def test_every_room_is_known():
    assert {path.parent.name for path in CORE.glob("*/__init__.py")} == set(ROOMS)


if __name__ == "__main__":
    for room in ROOMS:
        others = [other for other in ROOMS if (room, other) in arrows()]
        print(f"{room:8} -> {', '.join(others) or 'nothing'}")
