// Sheets of 512 x 512 to draw on, by mouse, pen, touch or arrow keys, with undo. `Sketch` has strokes of ink,
// `LabelMap` a class index a pixel, so that no colour ever mixes.

import { LABELS, SKETCH } from "./examples.js";

export const SIZE = 512;
const MOST_UNDONE = 40;
const INK = "#111111";
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class Sheet {
  // changed: is called when what is drawn has changed.
  constructor(panel, changed) {
    this.panel = panel;
    this.canvas = panel.querySelector("canvas");
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.cross = panel.querySelector(".cross");
    this.changed = changed;
    this.undone = [];
    this.done = [];
    this.at = { x: SIZE / 2, y: SIZE / 2 };
    this.isDown = false;
    this.setWidth(panel.querySelector("[data-width]").value);
    this.listen();
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.follow(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => this.finish());
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.lift());
    this.panel.querySelector("[data-width]").addEventListener("input", (event) => this.setWidth(event.target.value));
    for (const button of this.panel.querySelectorAll("[data-tool]")) {
      button.addEventListener("click", () => this.setTool(button.dataset.tool));
    }
    for (const name of ["undo", "redo", "clear", "example"]) {
      this.panel.querySelector(`[data-do=${name}]`).addEventListener("click", () => this[name]());
    }
  }

  setTool(name) {
    this.tool = name;
    for (const button of this.panel.querySelectorAll("[data-tool]")) {
      button.setAttribute("aria-pressed", String(button.dataset.tool === name));
    }
  }

  setWidth(value) {
    this.width = Number(value);
    const nib = this.panel.querySelector(".nib");
    nib.style.setProperty("--nib", `${Math.max(2, Math.min(24, this.width * this.canvas.clientWidth / SIZE || 4))}px`);
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const pressure = event.pointerType === "pen" && event.pressure ? 0.4 + event.pressure * 1.2 : 1;
    return {
      x: (event.clientX - box.left) * SIZE / box.width,
      y: (event.clientY - box.top) * SIZE / box.height,
      width: this.width * pressure,
    };
  }

  begin(event) {
    if (event.button > 0 || this.pointer !== undefined) return;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.cross.classList.remove("shown");
    this.lift();
    this.remember();
    this.start(this.place(event));
  }

  follow(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) this.go(this.place(one));
  }

  finish() {
    if (this.pointer === undefined) return;
    this.pointer = undefined;
    this.changed();
  }

  key(event) {
    const step = STEPS[event.key];
    if (step) {
      const far = event.shiftKey ? 2 : 10;
      const to = (value) => Math.max(0, Math.min(SIZE - 1, value));
      this.at = { x: to(this.at.x + step[0] * far), y: to(this.at.y + step[1] * far), width: this.width };
      if (this.isDown) this.go(this.at);
    } else if (event.key === " ") {
      if (this.isDown) this.lift();
      else {
        this.remember();
        this.isDown = true;
        this.start({ ...this.at, width: this.width });
      }
    } else return;
    event.preventDefault();
    this.cross.style.left = `${this.at.x / SIZE * 100}%`;
    this.cross.style.top = `${this.at.y / SIZE * 100}%`;
    this.cross.classList.add("shown");
    this.cross.classList.toggle("down", this.isDown);
  }

  lift() {
    this.cross.classList.remove("down");
    if (!this.isDown) return;
    this.isDown = false;
    this.changed();
  }

  remember() {
    this.done.push(this.state());
    if (this.done.length > MOST_UNDONE) this.done.shift();
    this.undone = [];
  }

  undo() { this.swap(this.done, this.undone); }

  redo() { this.swap(this.undone, this.done); }

  swap(from, to) {
    if (!from.length) return;
    to.push(this.state());
    this.restore(from.pop());
    this.changed();
  }

  clear() {
    if (this.isEmpty()) return;
    this.remember();
    this.wipe();
    this.changed();
  }

  // A base64 PNG; null of an empty sheet.
  picture() {
    return this.isEmpty() ? null : this.canvas.toDataURL("image/png").split(",")[1];
  }
}

export class Sketch extends Sheet {
  constructor(panel, changed) {
    super(panel, changed);
    this.setTool("pencil");
    this.wipe();
  }

  wipe() {
    this.context.fillStyle = "#ffffff";
    this.context.fillRect(0, 0, SIZE, SIZE);
  }

  state() { return this.context.getImageData(0, 0, SIZE, SIZE); }

  restore(state) { this.context.putImageData(state, 0, 0); }

  isEmpty() {
    const pixels = new Uint32Array(this.state().data.buffer);
    return pixels.every((pixel) => pixel === 0xffffffff);
  }

  start(point) {
    this.last = this.middle = point;
    this.go({ ...point, x: point.x + 0.01 });
  }

  finish() {
    if (this.pointer !== undefined) this.go(this.last); // from the last middle to the end
    super.finish();
  }

  // A curve from the middle of the last two points to that of these two: no corner where a hand made none.
  go(point) {
    const { context, last } = this;
    const middle = { x: (last.x + point.x) / 2, y: (last.y + point.y) / 2 };
    context.strokeStyle = this.tool === "eraser" ? "#ffffff" : INK;
    context.lineWidth = this.tool === "eraser" ? point.width * 3 : point.width;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(this.middle.x, this.middle.y);
    context.quadraticCurveTo(last.x, last.y, middle.x, middle.y);
    context.stroke();
    [this.last, this.middle] = [point, middle];
  }

  example() {
    this.remember();
    this.wipe();
    this.context.strokeStyle = INK;
    this.context.lineWidth = 5;
    this.context.lineCap = this.context.lineJoin = "round";
    for (const path of SKETCH) this.context.stroke(new Path2D(path));
    this.changed();
  }

  show(image) {
    this.remember();
    this.wipe();
    this.context.drawImage(image, 0, 0, SIZE, SIZE);
    this.changed();
  }
}

export class LabelMap extends Sheet {
  // palette: class -> [red, green, blue], in the order of their indices.
  constructor(panel, changed, palette) {
    super(panel, changed);
    this.names = Object.keys(palette);
    this.colours = Object.values(palette).map(([red, green, blue]) => 0xff000000 | blue << 16 | green << 8 | red)
      .map((colour) => colour >>> 0);
    this.image = this.context.createImageData(SIZE, SIZE);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.chosen = 1;
    this.setTool("brush");
    this.wipe();
  }

  get paint() { return this.tool === "eraser" ? 0 : this.chosen; }

  wipe() { this.restore(new Uint8Array(SIZE * SIZE)); }

  state() { return this.map.slice(); }

  restore(map) {
    this.map = map;
    map.forEach((label, index) => { this.pixels[index] = this.colours[label]; });
    this.context.putImageData(this.image, 0, 0);
  }

  isEmpty() { return this.map.every((label) => label === 0); }

  start(point) {
    this.last = point;
    if (this.tool === "fill") this.fill(Math.floor(point.x), Math.floor(point.y));
    else this.go(point);
  }

  go(point) {
    if (this.tool === "fill") return;
    const { last } = this;
    const far = Math.hypot(point.x - last.x, point.y - last.y);
    const count = Math.max(1, Math.ceil(far / Math.max(1, point.width / 6)));
    for (let step = 0; step <= count; step += 1) {
      const share = step / count;
      this.disc(last.x + (point.x - last.x) * share, last.y + (point.y - last.y) * share, point.width / 2);
    }
    this.last = point;
    this.context.putImageData(this.image, 0, 0);
  }

  set(index, label) {
    this.map[index] = label;
    this.pixels[index] = this.colours[label];
  }

  disc(x, y, radius) {
    const inside = (value) => Math.max(0, Math.min(SIZE - 1, value));
    for (let row = inside(Math.floor(y - radius)); row <= inside(Math.ceil(y + radius)); row += 1) {
      for (let column = inside(Math.floor(x - radius)); column <= inside(Math.ceil(x + radius)); column += 1) {
        if (Math.hypot(column - x, row - y) <= radius) this.set(row * SIZE + column, this.paint);
      }
    }
  }

  fill(x, y) {
    const first = Math.min(SIZE - 1, Math.max(0, y)) * SIZE + Math.min(SIZE - 1, Math.max(0, x));
    const from = this.map[first];
    if (from === this.paint) return;
    const left = [first];
    while (left.length) {
      const index = left.pop();
      if (this.map[index] !== from) continue;
      this.set(index, this.paint);
      const column = index % SIZE;
      if (column > 0) left.push(index - 1);
      if (column < SIZE - 1) left.push(index + 1);
      if (index >= SIZE) left.push(index - SIZE);
      if (index < SIZE * (SIZE - 1)) left.push(index + SIZE);
    }
    this.context.putImageData(this.image, 0, 0);
  }

  example() {
    this.remember();
    const map = new Uint8Array(SIZE * SIZE);
    const scratch = new OffscreenCanvas(SIZE, SIZE).getContext("2d", { willReadFrequently: true });
    for (const [name, path] of LABELS) {
      scratch.clearRect(0, 0, SIZE, SIZE);
      scratch.fill(new Path2D(path));
      const { data } = scratch.getImageData(0, 0, SIZE, SIZE);
      const label = this.names.indexOf(name);
      for (let index = 0; index < map.length; index += 1) if (data[4 * index + 3] > 127) map[index] = label;
    }
    this.restore(map);
    this.changed();
  }

  // An image in the palette's own colours.
  show(image) {
    this.remember();
    const scratch = new OffscreenCanvas(SIZE, SIZE).getContext("2d", { willReadFrequently: true });
    scratch.imageSmoothingEnabled = false;
    scratch.drawImage(image, 0, 0, SIZE, SIZE);
    const seen = new Uint32Array(scratch.getImageData(0, 0, SIZE, SIZE).data.buffer);
    const labels = new Map(this.colours.map((colour, label) => [colour, label]));
    this.restore(Uint8Array.from(seen, (colour) => labels.get(colour) ?? 0));
    this.changed();
  }
}
