// Steps through DATA, which page.py has written. The lines are those of the text form, with numbers as they are now.
const SAY = DATA.strings;
const NODES = DATA.nodes;
const ROOT = NODES.length - 1;
const GATES = NODES.map((node, place) => place).filter((place) => NODES[place].kind === "gate");
const LAST = 2 * GATES.length + 1;
const MOST_WAYS = 20;
const read = (number) => Number(number === "inf" ? Infinity : number === "-inf" ? -Infinity : number);
const first = NODES.map((node) => read(node.data));
const state = {step: 0, practice: false, right: new Set(), data: [...first], locals: [], shares: [], grads: []};

// --- functions of the rules ---

const F = {
  exp: Math.exp, log: Math.log, expm1: Math.expm1, log1p: Math.log1p, tanh: Math.tanh, sqrt: Math.sqrt,
  sin: Math.sin, cos: Math.cos, tan: Math.tan, asin: Math.asin, acos: Math.acos, atan: Math.atan, atan2: Math.atan2,
  sinh: Math.sinh, cosh: Math.cosh, floor: Math.floor, ceil: Math.ceil, abs: Math.abs, stop_gradient: (x) => x,
  max: (x, y) => (x >= y || x !== x ? x : y),
  min: (x, y) => (x <= y || x !== x ? x : y),
  relu: (x) => (x < 0 ? 0 : x),
  leaky_relu: (x) => (x > 0 ? x : 0.01 * x),
  sigmoid: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  log_sigmoid: (x) => -F.softplus(-x),
  silu: (x) => x * F.sigmoid(x),
  gelu: (x) => x * F.normal_cdf(x),
  gelu_tanh: (x) => x * F.sigmoid(1.5957691216057308 * (x + 0.044715 * x * x * x)),
  erf: (x) => Math.sign(x) * (Math.abs(x) < 2 ? 2 * between(Math.abs(x) * Math.SQRT2) : 1 - F.erfc(Math.abs(x))),
  erfc: (x) => 2 * F.normal_cdf(-x * Math.SQRT2),
  normal_pdf: (x) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI),
  normal_cdf: (x) => (x > 0 ? 1 - upperTail(x) : upperTail(-x)),
};

// The probability that a normally distributed number is between 0 and x, which is below 3: a power series.
function between(x) {
  let term = x, sum = x;
  for (let k = 1; k < 100; k++) {
    term *= (x * x) / (2 * k + 1);
    sum += term;
  }
  return sum * F.normal_pdf(x);
}

// That it is above x >= 0: by the former, or a continued fraction.
function upperTail(x) {
  if (x < 3) return 0.5 - between(x);
  let fraction = 0;
  for (let k = 120; k > 0; k--) fraction = k / (x + fraction);
  return F.normal_pdf(x) / (x + fraction);
}

// --- numbers ---

// Whether a power has the derivative 0 where its rule has none.
function isFlat({rule, power}, slot, x, y) {
  if (rule === "POWER") return power === 0;
  return rule === "POW" && (slot === 0 ? y === 0 : x === 0 && y >= 0);
}

function compute() {
  const {data, locals} = state;
  NODES.forEach((node, place) => {
    if (node.kind === "gate" && node.rule && DATA.canEdit) {
      const [x, y] = node.operands.map((operand) => data[operand]);
      const power = node.power, rule = RULES[node.rule];
      data[place] = rule.value(x, y, 0, power, power - 1);
      const z = data[place];
      locals[place] = node.operands.map((_, slot) =>
        isFlat(node, slot, x, y) ? 0 : rule.slopes[slot](x, y, z, power, power - 1));
      if (node.operands.every((operand) => Object.is(data[operand], first[operand]))) {
        data[place] = first[place];     // nothing below was edited: the engine's own numbers, to the last digit
        locals[place] = node.locals.map(read);
      }
    } else {
      locals[place] = node.locals.map(read);
    }
  });
  state.shares = NODES.map(() => []);
  state.grads = NODES.map(() => 0);
  state.grads[ROOT] = 1;
  for (const gate of [...GATES].reverse()) {
    NODES[gate].operands.forEach((operand, slot) => {
      const local = locals[gate][slot];
      const share = local === 0 && NODES[gate].isChoice ? 0 : local * state.grads[gate];
      state.grads[operand] += share;
      state.shares[operand].push({gate, slot, share});
    });
  }
}

function shown(number) {
  if (Number.isNaN(number)) return "nan";
  if (!Number.isFinite(number)) return number > 0 ? "inf" : "-inf";
  if (Number.isInteger(number) && Math.abs(number) < 1e15) return String(number === 0 ? 0 : number);
  const [mantissa, exponent] = number.toExponential(DATA.digits - 1).split("e");
  if (exponent < -4 || exponent >= DATA.digits) {
    const power = String(Math.abs(exponent)).padStart(2, "0");
    return `${mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa}e${exponent < 0 ? "-" : "+"}${power}`;
  }
  const fixed = number.toFixed(Math.max(0, DATA.digits - 1 - exponent));
  return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed;
}

const isAtomic = (text) => /^([\p{L}\p{N}_][\p{L}\p{N}_.[\]']*(e[-+]?\d+)?)$/u.test(text);

function filled(formula, operands) {
  const text = formula.replace(/\b[xyznm]\b(?!\()/g, (letter, at) => {
    const operand = operands[letter];
    const before = formula.slice(0, at), after = formula.slice(at + 1);
    const alone = (/(^|\()$/.test(before) && !after.startsWith("**")) || /(, |if |else )$/.test(before);
    return isAtomic(operand) || (alone && isAtomic(operand.slice(1))) ? operand : `(${operand})`;
  });
  return formula.includes(" if ") ? `(${text})` : text;
}

function numbersFor(place) {
  const node = NODES[place];
  const [x, y] = node.operands.map((operand) => shown(state.data[operand]));
  return {x, y, z: shown(state.data[place]), ...node.own};
}

const factor = (number) => (shown(number).startsWith("-") ? `(${shown(number)})` : shown(number));
const joined = (parts) => parts.filter((part, k) => k === 0 || part !== parts[k - 1]).join(" = ");
const say = (key, parts = {}) => SAY[key].replace(/\{(\w+)\}/g, (_, name) => parts[name]);

// --- lines, as in the text form ---

function forwardLine(place) {
  const node = NODES[place], parts = [node.name];
  if (!DATA.canEdit) return node.line;
  if (node.kind === "gate") parts.push(node.symbolic);
  if (node.rule) parts.push(filled(node.value, numbersFor(place)));
  return joined([...parts, shown(state.data[place])]);
}

function localLine(gate, slot) {
  const node = NODES[gate], local = shown(state.locals[gate][slot]);
  if (!node.rule) return `${node.localNames[slot]} = ${local} ${SAY.given}`;
  return joined([node.localNames[slot], node.symbolicSlopes[slot], filled(node.slopes[slot], numbersFor(gate)), local]);
}

function shareLine(gate, slot) {
  const node = NODES[gate], operand = node.operands[slot];
  const {share} = state.shares[operand].find((one) => one.gate === gate && one.slot === slot);
  const equals = state.shares[operand].length > 1 || NODES[operand].kind === "left out" ? "+=" : "=";
  const symbols = `${node.d} * ${node.localNames[slot]}`;
  const numbers = `${shown(state.grads[gate])} * ${factor(state.locals[gate][slot])}`;
  return `${NODES[operand].d} ${equals} ${symbols} = ${numbers} = ${shown(share)}`;
}

function sumOf(numbers) {
  return numbers.map((number, k) => (k ? factor(number) : shown(number))).join(" + ");
}

function backwardLines(gate) {
  const node = NODES[gate];
  const slots = node.operands.map((_, slot) => slot).filter((slot) => NODES[node.operands[slot]].kind !== "constant");
  const lines = slots.map((slot) => localLine(gate, slot));
  const shared = slots.filter((slot) => gate !== ROOT || state.shares[node.operands[slot]].length > 1);
  const several = node.localNames.some((name) => name.startsWith("∂"));
  if (gate !== ROOT || several) lines.push(...shared.map((slot) => shareLine(gate, slot)));
  for (const place of [...new Set(slots.map((slot) => node.operands[slot]))].sort((a, b) => b - a)) {
    const shares = state.shares[place];
    if (shares.length > 1 && shares[shares.length - 1].gate === gate && NODES[place].kind !== "left out") {
      lines.push(`${NODES[place].d} = ${sumOf(shares.map((one) => one.share))} = ${shown(state.grads[place])}`);
    }
  }
  return lines;
}

// --- steps ---

// What has arrived at a node by now: undefined before anything has.
function gradSoFar(place) {
  const done = state.step - GATES.length - 2;       // how many gates have passed theirs on, less 1
  if (done < -1) return undefined;
  if (place === ROOT) return 1;
  const passed = new Set([...GATES].reverse().slice(0, done + 1));
  const arrived = state.shares[place].filter((one) => passed.has(one.gate));
  return arrived.length ? arrived.reduce((sum, one) => sum + one.share, 0) : undefined;
}

function gateOfStep() {
  const {step} = state;
  if (step === 0) return undefined;
  if (step <= GATES.length) return GATES[step - 1];
  if (step === GATES.length + 1) return ROOT;
  return GATES[2 * GATES.length + 1 - step];
}

function linesOfStep() {
  const {step} = state, gate = gateOfStep();
  if (step === 0) {
    const leaves = NODES.map((node, place) => place).filter((place) => /^leaf|^left/.test(NODES[place].kind));
    return {title: SAY.leaves, kind: "forward", hint: GATES.length ? SAY.leaves_step : "", lines: leaves.map(forwardLine)};
  }
  if (step <= GATES.length) return {title: SAY.forward, kind: "forward", lines: [forwardLine(gate)]};
  if (step === GATES.length + 1) return {title: SAY.backward, kind: "backward", hint: SAY.begin, lines: [`${NODES[ROOT].d} = 1`]};
  const lines = backwardLines(gate);
  const hint = lines.some((line) => line.includes("+=")) ? SAY.added : "";
  return {title: say("backward_of", {gate: `${NODES[gate].name} = ${NODES[gate].symbolic}`}), kind: "backward", hint, lines};
}

function show() {
  const {step} = state, gate = gateOfStep();
  const computed = new Set(GATES.slice(0, step));
  for (const group of document.querySelectorAll(".circuit g[data-node]")) {
    const place = Number(group.dataset.node), node = NODES[place];
    group.classList.toggle("now", place === gate);
    if (place === gate) bringIntoView(group);
    group.classList.toggle("ahead", node.kind === "gate" && !computed.has(place));
    if (node.kind === "constant") continue;
    group.querySelector(".value").textContent = shown(state.data[place]);
    let grad = node.kind === "left out" ? undefined : gradSoFar(place);
    if (state.practice) grad = state.right.has(place) || place === ROOT ? state.grads[place] : undefined;
    group.querySelector(".grad").textContent = grad === undefined ? "" : shown(grad);
  }
  const {title, kind, hint, lines} = linesOfStep();
  const isHidden = state.practice && kind === "backward" && step > GATES.length + 1;
  byId("rule").replaceChildren(
    element("h2", {className: kind}, title),
    ...(isHidden ? [] : lines.map((line) => element("p", {className: "line"}, line))),
    ...(hint ? [element("p", {className: "hint"}, hint)] : []),
  );
  byId("step").textContent = say("step", {k: step, n: LAST});
  for (const [id, isOff] of [["start", step === 0], ["back", step === 0], ["next", step === LAST], ["end", step === LAST]]) {
    byId(id).setAttribute("aria-disabled", String(isOff));      // a button that is disabled would lose the keyboard
  }
  byId("all-ways").hidden = state.practice;
  byId("questions").hidden = !state.practice;
}

function bringIntoView(group) {
  const picture = document.querySelector(".picture"), frame = picture.getBoundingClientRect();
  const box = group.getBoundingClientRect();
  if (box.left < frame.left || box.right > frame.right) picture.scrollLeft += box.left - frame.left - frame.width / 3;
  if (box.top < frame.top || box.bottom > frame.bottom) picture.scrollTop += box.top - frame.top - frame.height / 3;
}

function go(step) {
  state.step = Math.min(LAST, Math.max(0, Math.round(step)));
  show();
}

// --- leaves ---

// A number as people type it: 1/3, with any minus sign, in full width; nan if it is none.
function typed(text) {
  const parts = text.normalize("NFKC").replace(/\u2212/g, "-").split("/").map((part) => part.trim());
  const numbers = parts.map((part) => (part === "" ? NaN : read(part)));
  return numbers.length > 2 ? NaN : numbers.reduce((a, b) => a / b);
}

function editLeaf(place, field) {
  const text = field.value.trim(), number = typed(text);
  const isNumber = Number.isFinite(number);
  field.setAttribute("aria-invalid", String(!isNumber));
  byId(`problem-${place}`).textContent = isNumber ? "" : say("not_a_number", {text});
  if (!isNumber) return;
  state.data[place] = number;
  compute();
  state.right.clear();
  fillWays();
  fillQuestions();
  show();
}

function fillLeaves() {
  const fields = [];
  NODES.forEach((node, place) => {
    if (node.kind !== "leaf") return;
    const field = element("input", {type: "text", inputMode: "text", id: `leaf-${place}`, value: shown(state.data[place]),
      disabled: !DATA.canEdit, autocomplete: "off"});
    field.addEventListener("input", () => editLeaf(place, field));
    fields.push(element("span", {className: "field"}, element("label", {htmlFor: field.id}, `${node.name} =`), field,
      element("span", {id: `problem-${place}`, role: "alert"})));
  });
  const reset = element("button", {type: "button", id: "reset"}, SAY.reset);
  reset.addEventListener("click", () => {
    state.data = [...first];
    state.right.clear();
    compute();
    [fillLeaves, fillWays, fillQuestions, show].forEach((fill) => fill());
    byId("reset").focus();
  });
  byId("leaves").replaceChildren(...fields, DATA.canEdit ? reset : element("p", {className: "hint"}, SAY.fixed));
}

// --- practice ---

const near = (a, b) => a === b || (Number.isFinite(b) && Math.abs(a - b) <= Math.max(0.005 * Math.abs(b), 1e-9));

// df/dq * dq/dx; of the result's own gate its local derivative, which is asked for.
function ruleOf(gate, slot, asked) {
  const {d, localNames, symbolicSlopes} = NODES[gate];
  if (gate !== ROOT) return `${d} * ${localNames[slot]}`;
  return localNames[slot] === asked ? symbolicSlopes[slot] || shown(state.locals[gate][slot]) : localNames[slot];
}

// What to say of an answer: which rule was missed, if it is known.
function verdict(place, answer) {
  const shares = state.shares[place], grad = state.grads[place], name = NODES[place].name;
  if (near(answer, grad)) return {isRight: true, text: SAY.right};
  const numbers = shares.map((one) => one.share);
  if (shares.length > 1 && numbers.some((number) => near(answer, number))) return {text: say("wrong_added", {name})};
  if (shares.length > 1 && near(answer, numbers.reduce((a, b) => a * b, 1))) return {text: SAY.wrong_product};
  if (near(answer, -grad)) return {text: SAY.wrong_sign};
  for (const {gate, slot} of shares) {
    const arrives = `${NODES[gate].d} = ${shown(state.grads[gate])}`, local = localLine(gate, slot);
    if (NODES[gate].rule === "MUL" && near(answer, state.data[place] * state.grads[gate])) return {text: SAY.wrong_factor};
    if (near(answer, state.locals[gate][slot])) return {text: say("wrong_local", {arrives})};
    if (near(answer, state.grads[gate])) return {text: say("wrong_arrives", {local})};
  }
  if (near(answer, state.data[place])) return {text: SAY.wrong_value};
  const rule = shares.map(({gate, slot}) => ruleOf(gate, slot, NODES[place].d)).join(" + ");
  return {text: say("wrong", {rule: `${NODES[place].d} = ${rule}`})};
}

function fillQuestions() {
  const places = NODES.map((_, place) => place).filter((place) => place !== ROOT && /^(leaf|gate)$/.test(NODES[place].kind));
  byId("questions").replaceChildren(...places.reverse().map((place) => {
    const field = element("input", {type: "text", inputMode: "text", id: `answer-${place}`, autocomplete: "off"});
    field.setAttribute("aria-label", say("answer", {name: NODES[place].d}));
    const button = element("button", {type: "submit"}, SAY.check);
    const said = element("span", {id: `said-${place}`});
    said.setAttribute("role", "status");
    const form = element("form", {className: "field"}, element("span", {}, `${NODES[place].d} =`), field, button, said);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const answer = typed(field.value);
      const {isRight, text: words} = Number.isNaN(answer) ? {text: SAY.empty} : verdict(place, answer);
      said.textContent = words;
      said.className = isRight ? "forward" : "backward";
      if (isRight) state.right.add(place);
      show();
    });
    return form;
  }));
}

// --- ways to the result ---

function countWays(place, counts = new Map()) {
  const users = NODES.map(() => []);
  GATES.forEach((gate) => NODES[gate].operands.forEach((operand) => users[operand].push(gate)));
  for (let k = ROOT; k >= place; k--) counts.set(k, k === ROOT ? 1 : users[k].reduce((sum, gate) => sum + counts.get(gate), 0));
  return counts.get(place);
}

function waysFrom(place) {
  const found = [];
  const follow = (at, way) => {
    if (found.length >= MOST_WAYS) return;
    if (at === ROOT) found.push(way);
    else state.shares[at].forEach(({gate, slot}) => follow(gate, [...way, {gate, slot}]));
  };
  follow(place, []);
  return found;
}

function wayLine(place, way) {
  const steps = [...way].reverse();
  const symbols = steps.map(({gate, slot}) => NODES[gate].localNames[slot]).join(" * ");
  const locals = steps.map(({gate, slot}) => state.locals[gate][slot]);
  const numbers = locals.map((local, k) => (k ? factor(local) : shown(local))).join(" * ");
  const names = [NODES[place].name, ...way.map(({gate}) => NODES[gate].name)].join(" → ");
  return {text: `${names}: ${joined([symbols, numbers, shown(product(locals))])}`, number: product(locals)};
}

const product = (numbers) => numbers.reduce((a, b) => a * b, 1);

function fillWay(place, details) {
  const count = countWays(place), ways = waysFrom(place).map((way) => wayLine(place, way));
  const all = `${NODES[place].d} = ${joined([sumOf(ways.map((way) => way.number)), shown(state.grads[place])])}`;
  details.querySelector("div").replaceChildren(
    ...ways.map(({text}) => element("p", {className: "line"}, text)),
    count > ways.length ? element("p", {className: "hint"}, say("more_ways", {k: ways.length, n: count.toLocaleString("en")}))
      : element("p", {className: "line"}, all),
  );
}

function fillWays() {
  const places = NODES.map((_, place) => place).filter((place) => place !== ROOT && /^(leaf|gate)$/.test(NODES[place].kind));
  const opened = new Set([...document.querySelectorAll("#ways details[open]")].map((details) => details.id));
  byId("ways").replaceChildren(...places.map((place) => {
    const summary = element("summary", {}, `${NODES[place].d} = ${shown(state.grads[place])}`);
    const details = element("details", {id: `way-${place}`}, summary, element("div", {}));
    details.addEventListener("toggle", () => details.open && fillWay(place, details));
    if (opened.has(details.id)) {
      details.open = true;
      fillWay(place, details);
    }
    return details;
  }));
}

// --- the page ---

const byId = (id) => document.getElementById(id);

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  if (properties.role) made.setAttribute("role", properties.role);
  made.append(...children);
  return made;
}

function start() {
  compute();
  fillLeaves();
  fillWays();
  fillQuestions();
  const steps = {start: () => 0, back: () => state.step - 1, next: () => state.step + 1, end: () => LAST};
  const keys = {ArrowRight: "next", ArrowDown: "next", ArrowLeft: "back", ArrowUp: "back", Home: "start", End: "end"};
  for (const [id, step] of Object.entries(steps)) byId(id).addEventListener("click", () => go(step()));
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches && event.target.matches("input[type=text], .picture");     // which scrolls
    if (isTyping || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey || !(event.key in keys)) return;
    event.preventDefault();
    go(steps[keys[event.key]]());
  });
  byId("practice").addEventListener("change", (event) => {
    state.practice = event.target.checked;
    state.right.clear();
    fillQuestions();
    show();
  });
  for (const group of document.querySelectorAll(".circuit g[data-node]")) {
    group.addEventListener("click", () => {
      const details = byId(`way-${group.dataset.node}`);
      if (!details || state.practice) return;
      details.open = true;
      details.scrollIntoView({block: "nearest"});
    });
  }
  go(Number(new URLSearchParams(location.hash.slice(1)).get("step")) || 0);
}
