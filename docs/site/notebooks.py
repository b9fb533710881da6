"""Prepares the folder of which `jupyter lite build` makes a site: `python notebooks.py FOLDER PYODIDE WHEEL...`

FOLDER gets the tutorial's chapters as notebooks; of PYODIDE, its npm package, what a page loads, and the wheels, which
the first cell that imports them loads; and settings. Run by .ci/jupyterlite, whose venv has the libraries.
"""

import hashlib
import importlib.util
import json
import pathlib
import shutil
import sys

import nbformat
import pkginfo
from packaging.utils import canonicalize_name

TUTORIAL = pathlib.Path(__file__).parents[1] / "tutorial"
PYODIDE = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"]
KERNEL = {"display_name": "Python (Pyodide)", "language": "python", "name": "python"}
SETTINGS = {
    "jupyter-lite-schema-version": 0,
    "jupyter-config-data": {
        "appName": "micrograd_c",
        "appUrl": "./tree",         # what the site begins with: a list of the notebooks
        "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": {"disablePyPIFallback": True}},
    },
}


def tool():
    """docs/tutorial/cells.py."""
    spec = importlib.util.spec_from_file_location("cells", TUTORIAL / "cells.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["cells"] = module       # where its dataclass looks for it
    spec.loader.exec_module(module)
    return module


def notebook(cells, path):
    """A chapter. A cell that needs an optional package is shown only, as there is none here: the others can be run."""
    made = cells.notebook(path.read_text(encoding="utf-8"), path.parent)
    made["metadata"]["kernelspec"] = KERNEL
    for cell in made["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code" and cells.NEEDS.match(text):
            cell.update(cell_type="markdown", source=f"```python\n{text}\n```")
            del cell["execution_count"], cell["outputs"]
    return nbformat.from_dict(made)


def locked(wheel):
    """What Pyodide's lock file says of a wheel that requires no other."""
    about = pkginfo.get_metadata(str(wheel))
    required = [text for text in about.requires_dist if "extra ==" not in text]
    if required:
        raise SystemExit(f"{wheel.name} requires {', '.join(required)}")
    return {
        "name": canonicalize_name(about.name),
        "version": about.version,
        "file_name": wheel.name,
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "imports": [about.name],
        "depends": [],
        "install_dir": "site",
        "package_type": "package",
        "unvendored_tests": False,
    }


def main(folder, pyodide, *wheels):
    folder, pyodide = pathlib.Path(folder), pathlib.Path(pyodide)
    wheels = [pathlib.Path(wheel) for wheel in wheels]
    cells = tool()
    for path in cells.chapters():
        target = (folder / "notebooks" / path.relative_to(TUTORIAL)).with_suffix(".ipynb")
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook(cells, path), target)       # which also validates it
    copy = folder / "static" / "pyodide"
    copy.mkdir(parents=True)
    for path in [*(pyodide / name for name in PYODIDE), *wheels]:
        shutil.copy(path, copy)
    # Pyodide's own packages are elsewhere, so that it must not know of them
    lock = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))
    lock["packages"] = {entry["name"]: entry for entry in map(locked, wheels)}
    (copy / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    (folder / "jupyter-lite.json").write_text(json.dumps(SETTINGS), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
