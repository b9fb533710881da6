// What a side learns: the boundary between two kinds of points, and the loss at each step. Drawn at the next frame,
// however fast the numbers come.

const CELL = 4;         // pixels of the boundary that are computed at once
const ACTIVATIONS = {
  linear: (x) => x, relu: (x) => Math.max(0, x), tanh: Math.tanh, sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};

export class Drawing {
  constructor(place) {
    this.pictures = place.querySelector(".pictures");
    this.boundary = place.querySelector(".boundary");
    this.curve = place.querySelector(".curve");
    this.clear();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.plan());
    addEventListener("resize", () => this.plan());
  }

  clear() {
    this.losses = [];
    this.model = this.points = null;
    this.pictures.hidden = true;
  }

  add({losses, model, points}) {
    this.losses.push(...losses);
    this.model = model && model.every((layer) => layer.activation in ACTIVATIONS) ? model : null;
    this.points = points;
    this.plan();
  }

  hasBoundary() {
    return this.model !== null && this.points !== null;
  }

  // In words, for those who do not see it.
  describe() {
    const {losses} = this;
    if (!losses.length) return;
    const [first, last] = [losses[0], losses[losses.length - 1]];
    this.curve.setAttribute("aria-label", `The loss went from ${first} to ${last} in ${losses.length} steps.`);
    if (this.hasBoundary()) {
      const score = scorer(this.model), all = this.points.length;
      const right = this.points.filter(([x, y, label]) => score(x, y) > 0 === label > 0).length;
      this.boundary.setAttribute("aria-label", `${right} of ${all} points are on the right side of the boundary.`);
    }
  }

  plan() {
    if (this.planned || !this.losses.length) return;
    this.planned = requestAnimationFrame(() => {
      this.planned = null;
      this.pictures.hidden = !this.losses.length;
      this.boundary.hidden = !this.hasBoundary();
      if (this.pictures.hidden) return;
      this.drawCurve();
      if (!this.boundary.hidden) this.drawBoundary();
    });
  }

  drawBoundary() {
    const {pen, width, height} = prepared(this.boundary);
    const xs = this.points.map(([x]) => x), ys = this.points.map(([, y]) => y);
    const left = Math.min(...xs) - 0.3, top = Math.max(...ys) + 0.3;
    const across = Math.max(...xs) + 0.3 - left, down = top - Math.min(...ys) + 0.3;
    const score = scorer(this.model);
    const colors = {true: color("--blue"), false: color("--orange")};
    pen.globalAlpha = 0.3;
    for (let px = 0; px < width; px += CELL) {
      for (let py = 0; py < height; py += CELL) {
        const value = score(left + ((px + CELL / 2) / width) * across, top - ((py + CELL / 2) / height) * down);
        pen.fillStyle = colors[value > 0];
        pen.fillRect(px, py, CELL, CELL);
      }
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = color("--page");
    for (const [x, y, label] of this.points) {
      pen.beginPath();
      pen.arc(((x - left) / across) * width, ((top - y) / down) * height, 4, 0, 7);
      pen.fillStyle = colors[label > 0];
      pen.fill();
      pen.stroke();
    }
  }

  // From the lowest to the highest.
  drawCurve() {
    const {pen, width, height} = prepared(this.curve);
    const {losses} = this, least = Math.min(...losses), range = Math.max(...losses) - least || 1;
    const left = 8, top = 26, across = width - 2 * left, down = height - top - 8;
    pen.fillStyle = color("--quiet");
    pen.font = "13px system-ui, sans-serif";
    pen.fillText(`loss ${short(losses[losses.length - 1])}, at first ${short(losses[0])}`, left, 17);
    pen.strokeStyle = color("--accent");
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    pen.beginPath();
    losses.forEach((loss, k) =>
      pen.lineTo(left + (k / Math.max(losses.length - 1, 1)) * across, top + (1 - (loss - least) / range) * down));
    pen.stroke();
  }
}

const short = (number) => String(Number(number.toPrecision(3)));

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// A canvas with as many pixels as the screen has there, empty.
function prepared(canvas) {
  const {clientWidth: width, clientHeight: height} = canvas;
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  const pen = canvas.getContext("2d");
  pen.scale(devicePixelRatio, devicePixelRatio);
  return {pen, width, height};
}

// The network as a function of a point. Its loops are plain: they run for thousands of points in a frame.
function scorer(layers) {
  const steps = layers.map(({rows, activation}) => ({rows, f: ACTIVATIONS[activation]}));
  return (x, y) => {
    let inputs = [x, y];
    for (const {rows, f} of steps) {
      const outputs = [];
      for (const row of rows) {
        let sum = row[0];
        for (let k = 1; k < row.length; k++) sum += row[k] * inputs[k - 1];
        outputs.push(f(sum));
      }
      inputs = outputs;
    }
    return inputs[0];
  };
}
