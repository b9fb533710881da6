// What it takes to begin in a browser, and browser.py there, in Node: node benchmarks/browser.mjs PYODIDE WHEEL WHEEL
// PYODIDE is the folder of Pyodide's npm package, the wheels are this package's and micrograd's.
// Prints bytes, as they are and as a server compresses them; seconds until Pyodide, the package and a gradient are
// there; and the tables of browser.py.

import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const FIRST = "from micrograd_c import Value; x = Value(3.0); y = (x * x).tanh(); y.backward(); x.grad";

const [place, wheel, ...others] = process.argv.slice(2).filter((name) => !name.startsWith("--"));
const quick = process.argv.includes("--quick");

console.log("| loaded | bytes | compressed |\n|---|--:|--:|");
for (const file of ["pyodide.asm.wasm", "python_stdlib.zip", "pyodide.asm.mjs", wheel]) {
    const bytes = readFileSync(file === wheel ? wheel : join(place, file));
    console.log(`| ${basename(file)} | ${bytes.length} | ${gzipSync(bytes).length} |`);
}

const unpack = (file) => pyodide.unpackArchive(new Uint8Array(readFileSync(file)), "wheel");

const start = performance.now();
const seconds = () => ((performance.now() - start) / 1000).toFixed(2);
const { loadPyodide } = await import(pathToFileURL(resolve(place, "pyodide.mjs")));
const pyodide = await loadPyodide();
const loaded = seconds();
unpack(wheel);
const unpacked = seconds();
pyodide.runPython(FIRST);
console.log(`\n| since the beginning | seconds |\n|---|--:|`);
console.log(`| Python runs | ${loaded} |\n| the package is unpacked | ${unpacked} |\n| a gradient is there | ${seconds()} |`);

others.forEach(unpack);
pyodide.FS.writeFile("browser.py", readFileSync(join(fileURLToPath(import.meta.url), "../browser.py")));
pyodide.runPython(`
import runpy
import sys

sys.argv = ["browser.py"${quick ? ', "--quick"' : ""}]
runpy.run_path("browser.py", run_name="__main__")
`);
