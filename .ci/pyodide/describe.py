"""Runs in Pyodide: describes it to a build outside, in FOLDER, as CPython describes itself after it has been compiled.

    describe.py FOLDER PLACE

PLACE is where the build finds FOLDER. FOLDER/_sysconfigdata_pyodide.py is what its sysconfig says, but for the
compiler, and FOLDER/include/pyconfig.h says the same to C; the other headers are those of any CPython 3.14.
"""

import pathlib
import sys
import sysconfig

folder, place = map(pathlib.Path, sys.argv[1:])
variables = sysconfig.get_config_vars()

# those of pyconfig.h are among them
defined = sorted(name for name, value in variables.items() if isinstance(value, int) and value)
(folder / "include" / "pyconfig.h").write_text(
    "".join(f"#define {name} {variables[name]}\n" for name in defined), encoding="utf-8")

# what must be so whatever CFLAGS say: exceptions are WebAssembly's, and of a module only what is asked for is exported
COMPILE = "emcc -fPIC -fwasm-exceptions -sSUPPORT_LONGJMP=wasm"
LINK = f"{COMPILE} -O2 -sSIDE_MODULE=2 -sWASM_BIGINT"
described = {
    **variables,
    "CC": COMPILE, "AR": "emar", "LDSHARED": LINK,
    "INCLUDEPY": str(place / "include"), "CONFINCLUDEPY": str(place / "include"),
}
(folder / "_sysconfigdata_pyodide.py").write_text(f"build_time_vars = {described!r}\n", encoding="utf-8")
print(f"pyemscripten-{variables['PYODIDE_ABI_VERSION']}-wasm32")
