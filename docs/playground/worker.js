// Python of one side, in a worker. The page sends {id, what, given}, and gets one {id, answer} or {id, problem} for
// each; in between, for a program that runs, {told}: see player/running.py. What Python says comes as text: objects of
// Python's that JavaScript knows would live as long as JavaScript likes, with all the program's Values.

import { loadPyodide } from "./pyodide/pyodide.mjs";

let pyodide, player, explaining;

const bytes = async (file) => {
  const response = await fetch(file);
  if (!response.ok) throw new Error(`${file}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
};

// Data is beside the programs, the page's own Python where programs have not theirs.
const placeOf = (file) => (file.startsWith("data/") ? file.slice(5) : `/playground/${file}`);

const ACTIONS = {
  // Everything is there; `ours` says on which side this is.
  async begin({wheel, files, ours, interrupts}) {
    const [loaded, archive, ...contents] = await Promise.all([
      loadPyodide({indexURL: new URL("pyodide/", import.meta.url).href, stdin: () => null}),
      bytes(wheel), ...files.map(bytes),
    ]);
    pyodide = loaded;
    pyodide.unpackArchive(archive, "wheel");
    pyodide.FS.mkdirTree("/playground/player");
    pyodide.runPython("import sys; sys.path.append('/playground')");
    files.forEach((file, k) => pyodide.FS.writeFile(placeOf(file), contents[k]));
    player = pyodide.pyimport("player.running");
    if (ours) {
      pyodide.runPython("import micrograd_c; micrograd_c.install()");
      explaining = pyodide.pyimport("player.explaining");
    }
    if (interrupts) pyodide.setInterruptBuffer(interrupts);
  },

  run({name, source, replace}) {
    const ended = JSON.parse(player.run(name, source, replace, (told) => postMessage({told: JSON.parse(told)})));
    return {...ended, graph: explaining ? JSON.parse(explaining.graph()) : null};
  },

  // A page to step through: of the graph drawn last, or of an expression.
  explain({expression, numbers}) {
    if (expression === undefined) return {page: explaining.page_of_graph()};
    return JSON.parse(explaining.page_of(expression, numbers));
  },
};

addEventListener("message", async ({data: {id, what, given}}) => {
  try {
    postMessage({id, answer: await ACTIONS[what](given)});
  } catch (error) {
    postMessage({id, problem: error.message});
  }
});
