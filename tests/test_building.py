"""What setup.py builds again, by a compiler that only notes how it was called, and without Cython."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
COMPILER = """#!{python}
import pathlib, sys
with open({calls!r}, "a") as calls:
    print(*sys.argv[1:], file=calls)
pathlib.Path(sys.argv[sys.argv.index("-o") + 1]).touch()
"""


@pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="the sources are not here")
@pytest.mark.skipif(sys.platform == "win32", reason="the compiler is a script")
def test_kernels_are_compiled_again_in_another_way(tmp_path):
    pytest.importorskip("setuptools")
    shutil.copy(ROOT / "setup.py", tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("*.so"))
    for module, text in ("__init__", "__version__ = '3.3'"), ("Build", "cythonize = None"):
        (tmp_path / "Cython").mkdir(exist_ok=True)
        (tmp_path / "Cython" / f"{module}.py").write_text(text, encoding="utf-8")
    compiler, calls = tmp_path / "compiler", tmp_path / "calls"
    compiler.write_text(COMPILER.format(python=sys.executable, calls=str(calls)), encoding="utf-8")
    compiler.chmod(0o755)

    def compiled(flags):
        calls.write_text("", encoding="utf-8")
        subprocess.run(
            [sys.executable, "setup.py", "-q", "build_clib"], cwd=tmp_path, check=True, capture_output=True,
            env={**os.environ, "CC": str(compiler), "AR": "true", "CFLAGS": flags},
        )
        return sum("kernels.c" in call for call in calls.read_text(encoding="utf-8").splitlines())

    assert [compiled("-O1"), compiled("-O1"), compiled("-O0"), compiled("-O1")] == [1, 0, 1, 1]
