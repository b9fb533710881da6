// Runs Python's command line in Pyodide, in Node: node run.mjs PYODIDE (-c CODE | -m MODULE | FILE) ARGUMENTS...
// PYODIDE is the folder of Pyodide's npm package. Python sees this machine's folders; its status is the process's.

import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [place, ...command] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(resolve(place, "pyodide.mjs")));
const pyodide = await loadPyodide({ env: { ...process.env } });

// What is Pyodide's own stays so: /lib has the standard library.
const own = ["dev", "home", "lib", "proc", "sys"];
for (const entry of readdirSync("/", { withFileTypes: true })) {
    if (entry.isDirectory() && !own.includes(entry.name)) {
        pyodide.mountNodeFS(`/${entry.name}`, `/${entry.name}`);
    }
}

pyodide.globals.set("_command", pyodide.toPy([process.cwd(), ...command]));
const run = `
def _run(folder, what, *arguments):
    import os
    import runpy
    import sys

    import __main__
    os.chdir(folder)
    sys.path_importer_cache.clear()     # it has looked for PYTHONPATH before there were folders
    try:
        if what == "-c":
            sys.argv = ["-c", *arguments[1:]]
            sys.path[0] = ""
            exec(compile(arguments[0], "<string>", "exec"), vars(__main__))
        elif what == "-m":
            sys.argv = list(arguments)
            sys.path[0] = ""
            runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        else:
            sys.argv = [what, *arguments]
            sys.path[0] = os.path.dirname(os.path.abspath(what))
            runpy.run_path(what, run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0

_run(*_command)
`;

try {
    process.exitCode = pyodide.runPython(run);
} catch (error) {       // which Node would show with its line, that is all of Pyodide
    console.error(error.type ? error.message : error.stack);
    process.exitCode = 1;
}
