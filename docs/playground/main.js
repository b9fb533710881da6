// The page: its buttons, its two sides, and what the compiled side draws and explains.

import { makeEditor } from "./editor.js";
import { isKept, keep } from "./keeping.js";
import { Side } from "./side.js";

const byId = (id) => document.getElementById(id);
const example = byId("example"), editor = byId("editor");
const wheel = (name) => CONTENTS.files.find(([file]) => file.startsWith(`wheels/${name}-`))[0];
const isData = ([file]) => /^(data|player)\//.test(file);
const files = CONTENTS.files.filter(isData).map(([file]) => file);

const ours = new Side("micrograd_c", byId("ours"), {wheel: wheel("micrograd_c"), files, ours: true}, announce);
const theirs = new Side("micrograd", byId("theirs"), {wheel: wheel("micrograd"), files, ours: false}, announce);
let running = [];       // sides
let isWaiting = false;  // for Python

const ENDED = {well: "Done", wrong: "Ended by an error", stopped: "Stopped"};

function announce(text) {
  byId("status").textContent = text;
}

// --- programs ---

async function choose() {
  const response = await fetch(`examples/${example.value}.py`);
  editor.value = await response.text();
  editor.dataset.example = example.value;
  editor.scrollTop = editor.scrollLeft = 0;
  showReplace();
}

function showReplace() {
  byId("replace-field").hidden = !/^class Value\b/m.test(editor.value);
}

async function run(sides) {
  if (running.length) return;
  running = sides;
  isWaiting = true;
  showRunning();
  [ours, theirs].forEach((side) => side.clear());
  byId("compared").textContent = "";
  byId("graph").hidden = true;
  announce("Python is being loaded; the program runs as soon as it is there.");
  try {
    await Promise.all(sides.map((side) => side.begin()));
  } catch (error) {
    announce(`Python cannot begin: ${error.message}`);
    running = [];
  }
  if (running === sides) {        // still wanted
    isWaiting = false;
    announce("Running.");
    await runNow(sides);
    running = [];
    showKept();
  }
  showRunning();
}

async function runNow(sides) {
  const program = {name: `${example.value}.py`, source: editor.value}, said = [];
  await Promise.all(sides.map(async (side) => {
    const outcome = await side.run({...program, replace: side === ours && byId("replace").checked});
    const words = `${ENDED[outcome.ended]} after ${outcome.seconds.toFixed(3)} s`;
    said.push(sides.length > 1 ? `${side.name}: ${words.toLowerCase()}.` : `${words}.`);
    if (!outcome.anew) announce(said.join(" "));
    if (outcome.graph) showGraph(outcome.graph);
  }));
}

function stop() {
  if (isWaiting) {
    running = [];
    isWaiting = false;
    announce("Stopped, before Python was there.");
    showRunning();
  }
  running.forEach((side) => side.stop());
}

// Buttons that cannot be used keep the keyboard's focus: `disabled` would lose it.
function showRunning() {
  const isRunning = running.length > 0;
  byId("run").setAttribute("aria-disabled", isRunning);
  byId("both").setAttribute("aria-disabled", isRunning);
  byId("stop").setAttribute("aria-disabled", !isRunning);
  byId("step-through").setAttribute("aria-disabled", isRunning);
}

function compare() {
  if (!ours.seconds || !theirs.seconds) return;
  const times = theirs.seconds / ours.seconds;
  byId("compared").textContent = `${times.toLocaleString("en", {maximumSignificantDigits: 3})} times as fast`;
}

// --- graphs ---

function showGraph({name, svg}) {
  byId("graph").hidden = false;
  byId("graph-name").textContent = name;
  const picture = byId("picture");
  picture.innerHTML = svg;
  picture.scrollTop = (picture.scrollHeight - picture.clientHeight) / 2;
}

async function explain(event) {
  event.preventDefault();
  const given = {expression: byId("expression").value, numbers: byId("numbers").value};
  await step(given);
}

// Shows a page to step through, as micrograd_c writes it, in the colours of this one.
async function step(given) {
  if (running.length) return announce("A program runs: stop it first.");
  const said = byId("explained");
  said.textContent = "";
  try {
    await ours.begin();
    const {page, wrong} = await ours.ask("explain", given);
    said.textContent = wrong ? `${wrong[0].toUpperCase()}${wrong.slice(1)}` : "";
    if (page) {
      const style = await (await fetch("explained.css")).text();
      byId("steps").srcdoc = page.replace("</head>", () => `<style>${style}</style></head>`);
    }
  } catch (error) {
    said.textContent = error.message;
  }
}

async function showKept() {
  byId("kept").textContent = await isKept() ? "All of it is kept in this browser: it works without a network." : "";
}

// --- begin ---

function listen() {
  makeEditor(editor);
  example.addEventListener("change", choose);
  editor.addEventListener("input", showReplace);
  byId("run").addEventListener("click", () => run([ours]));
  byId("both").addEventListener("click", () => run([ours, theirs]));
  byId("stop").addEventListener("click", stop);
  byId("explain").addEventListener("submit", explain);
  byId("step-through").addEventListener("click", async () => {
    await step({});
    byId("steps").scrollIntoView({block: "nearest"});
    byId("steps").focus();
  });
  document.addEventListener("learned", compare);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run(event.shiftKey ? [ours, theirs] : [ours]);
  });
  showRunning();
}

listen();
await keep();
await choose();
const megabytes = CONTENTS.files.reduce((sum, [, size]) => sum + size, 0) / 1e6;
if (!running.length) announce(`Python is being loaded: ${megabytes.toFixed(0)} MB, the first time.`);
try {
  await ours.begin();
  if (!running.length && !byId("status").textContent.startsWith("Stopped")) announce("Ready.");
  await step({expression: byId("expression").value, numbers: byId("numbers").value});
  // for later, without a network
  await fetch(wheel("micrograd"));
  showKept();
} catch (error) {
  announce(`Python cannot begin: ${error.message}`);
}
document.documentElement.dataset.ready = "";
