// One of the two sides: its Python in a worker, its clock, what it prints and what it learns.

import { Drawing } from "./drawing.js";

const MOST_TEXT = 30_000;      // characters of output that are shown
const PATIENCE = 3000;          // milliseconds for a KeyboardInterrupt to end a program

export class Side {
  // place is its section of the page; setup is what its worker begins with; what it says goes to announce().
  constructor(name, place, setup, announce) {
    Object.assign(this, {name, place, setup, announce, asked: new Map(), questions: 0, running: null});
    this.drawing = new Drawing(place);
    const output = this.part("output");
    output.addEventListener("scroll", () => { this.follows = isAtEnd(output); });
    new ResizeObserver(() => this.follow()).observe(output);
    this.clear();
  }

  part(name) {
    return this.place.querySelector(`.${name}`);
  }

  // --- its Python ---

  // Resolves when programs can run.
  begin() {
    if (!this.ready) {
      this.worker = new Worker("worker.js", {type: "module"});
      this.worker.addEventListener("message", ({data}) => this.receive(data));
      this.worker.addEventListener("error", (event) => this.fail(event.message || "its worker cannot be loaded"));
      this.interrupts = crossOriginIsolated ? new Uint8Array(new SharedArrayBuffer(1)) : null;
      this.ready = this.ask("begin", {...this.setup, interrupts: this.interrupts});
    }
    return this.ready;
  }

  ask(what, given) {
    const id = this.questions++;
    this.worker.postMessage({id, what, given});
    return new Promise((resolve, reject) => this.asked.set(id, {resolve, reject}));
  }

  receive({id, told, answer, problem}) {
    if (told) return this.show(told);
    const {resolve, reject} = this.asked.get(id);
    this.asked.delete(id);
    if (problem === undefined) resolve(answer);
    else reject(new Error(problem));
  }

  fail(problem) {
    const waiting = [...this.asked.values()];
    this.asked.clear();
    waiting.forEach(({reject}) => reject(new Error(problem)));
  }

  // --- a program ---

  // Runs it, and resolves to how it ended: {ended, seconds, graph}.
  async run(program) {
    this.clear();
    this.interrupts?.fill(0);
    this.running = performance.now();
    this.place.dataset.state = "running";
    this.tick();
    let outcome;
    try {
      outcome = await this.ask("run", program);
    } catch (error) {
      const anew = this.place.dataset.state === "begun anew";
      outcome = {ended: anew ? "stopped" : "wrong", seconds: this.elapsed(), graph: null, anew};
      this.write("err", `${error.message}\n`);
    }
    clearTimeout(this.impatient);
    this.interrupts?.fill(0);
    this.running = null;
    this.place.dataset.state = outcome.ended;
    this.part("clock").textContent = shown(outcome.seconds);
    this.writePending();
    this.drawing.describe();
    return outcome;
  }

  // By KeyboardInterrupt if there is shared memory; if not, or if nothing comes of it, Python is begun anew.
  stop() {
    if (this.running === null) return;
    if (this.interrupts) {
      this.interrupts[0] = 2;       // SIGINT
      this.impatient = setTimeout(() => this.beginAnew(), PATIENCE);
    } else {
      this.beginAnew();
    }
  }

  beginAnew() {
    this.place.dataset.state = "begun anew";
    this.worker.terminate();
    this.ready = null;
    this.fail("Stopped. Python was ended, and begins anew.");
    this.announce("Stopped. Python was ended, and begins anew.");
    this.begin().catch((error) => this.announce(`Python cannot begin: ${error.message}`));
  }

  elapsed() {
    return (performance.now() - this.running) / 1000;
  }

  tick() {
    if (this.running === null) return;
    this.part("clock").textContent = shown(this.elapsed(), 1);
    requestAnimationFrame(() => this.tick());
  }

  // --- what it shows ---

  clear() {
    this.part("output").replaceChildren();
    this.part("clock").textContent = shown(0);
    this.place.dataset.state = "new";
    this.part("rate").textContent = this.part("names").textContent = "";
    this.seconds = null;
    this.length = 0;
    this.pending = [];
    this.follows = true;
    this.drawing.clear();
  }

  show(told) {
    const [[key, value]] = Object.entries(told);
    if (key === "learned") this.learn(value);
    else if (key === "names") this.part("names").textContent = value;
    else this.write(key, value);
  }

  learn({steps, seconds, ...learned}) {
    this.drawing.add(learned);
    this.seconds = seconds;
    const count = `${steps} ${steps === 1 ? "step" : "steps"}`;
    this.part("rate").textContent = seconds ? `${count}, ${perStep(seconds)} each` : count;
    this.place.dispatchEvent(new Event("learned", {bubbles: true}));
  }

  // At the next frame, however many lines come until then.
  write(kind, text) {
    const last = this.pending[this.pending.length - 1];
    if (last?.kind === kind) last.text = (last.text + text).slice(-MOST_TEXT);
    else this.pending.push({kind, text: text.slice(-MOST_TEXT)});
    this.planned ||= requestAnimationFrame(() => this.writePending());
  }

  // Text of one kind in a row is one element; the oldest go when there is too much.
  writePending() {
    const output = this.part("output");
    cancelAnimationFrame(this.planned);
    this.planned = null;
    for (const {kind, text} of this.pending.splice(0)) {
      let last = output.lastElementChild;
      if (last?.className !== kind || last.textContent.length > MOST_TEXT / 10) {
        last = Object.assign(document.createElement("span"), {className: kind});
        output.append(last);
      }
      last.append(text);
      this.length += text.length;
    }
    while (this.length > MOST_TEXT && output.children.length > 1) {
      this.length -= output.firstElementChild.textContent.length;
      output.firstElementChild.remove();
    }
    this.follow();
  }

  // The end stays in sight, unless somebody has scrolled away from it.
  follow() {
    const output = this.part("output");
    if (this.follows) output.scrollTop = output.scrollHeight;
  }
}

const isAtEnd = (place) => place.scrollHeight - place.scrollTop - place.clientHeight < 30;

const shown = (seconds, digits = seconds < 10 ? 3 : 1) => `${seconds.toFixed(digits)} s`;

const perStep = (seconds) => (seconds < 1 ? `${(seconds * 1e3).toPrecision(3)} ms` : `${seconds.toPrecision(3)} s`);
