/** The pad that a person writes digits on; what is drawn becomes a small picture, as in the data. */

import { colours } from "./colours.js";
import { base64 } from "./frames.js";
import { h, paced } from "./dom.js";
import { sheet } from "./maps.js";
import { store } from "./store.js";

const SIZE = 280;
const PAUSE = 30;

export class Pad {
  /** @param {(pixels: Uint8Array | null) => void} changed */
  constructor(changed) {
    this.canvas = h("canvas.pad", {
      role: "img",
      "aria-label": "Pad to draw a digit on with mouse or finger",
      testid: "pad",
      width: SIZE,
      height: SIZE,
    });
    this.brush = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { willReadFrequently: true }));
    this.side = 8;
    this.empty = true;
    /** @type {Uint8Array | null} a picture of the data instead of ink */
    this.picture = null;
    this.changed = changed;
    this.later = paced(PAUSE, () => this.tell());
    this.down = false;
    this.listen();
  }

  listen() {
    const { canvas } = this;
    let [x, y] = [0, 0];
    const at = (/** @type {PointerEvent} */ event) => {
      const box = canvas.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * SIZE, ((event.clientY - box.top) / box.height) * SIZE];
    };
    canvas.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      if (event.button) return;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      if (this.picture) this.wipe();
      this.down = true;
      [x, y] = at(event);
      this.line(x, y, x + 0.01, y);
    });
    canvas.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
      if (!this.down) return;
      for (const each of event.getCoalescedEvents?.() ?? [event]) {
        const [u, v] = at(each);
        this.line(x, y, u, v);
        [x, y] = [u, v];
      }
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (this.down = false));
  }

  /** @param {number} x @param {number} y @param {number} u @param {number} v */
  line(x, y, u, v) {
    const { brush } = this;
    brush.lineCap = brush.lineJoin = "round";
    brush.lineWidth = this.side < 16 ? 34 : 24;
    brush.strokeStyle = colours().theme === "dark" ? "#eef2f7" : "#171c24";
    brush.beginPath();
    brush.moveTo(x, y);
    brush.lineTo(u, v);
    brush.stroke();
    this.empty = false;
    this.canvas.classList.add("written");
    this.later();
  }

  wipe() {
    this.brush.clearRect(0, 0, SIZE, SIZE);
    this.empty = true;
    this.picture = null;
    this.canvas.classList.remove("written");
  }

  clear() {
    this.wipe();
    this.tell();
  }

  /** Shows a picture of the data set. @param {Uint8Array} pixels */
  take(pixels) {
    this.wipe();
    this.picture = pixels;
    this.empty = false;
    this.canvas.classList.add("written");
    const { image, words } = sheet(this.side, this.side);
    const [r, g, b] = colours().theme === "dark" ? [238, 242, 247] : [23, 28, 36];
    for (let i = 0; i < pixels.length; i++) words[i] = ((pixels[i] << 24) | (b << 16) | (g << 8) | r) >>> 0;
    const small = document.createElement("canvas");
    small.width = small.height = this.side;
    small.getContext("2d")?.putImageData(image, 0, 0);
    this.brush.imageSmoothingEnabled = false;
    this.brush.drawImage(small, 0, 0, SIZE, SIZE);
    this.tell();
  }

  /** The small picture, or null for an empty pad. */
  get pixels() {
    if (this.picture) return this.picture;
    return this.empty ? null : shrunk(this.brush.getImageData(0, 0, SIZE, SIZE).data, this.side);
  }

  tell() {
    const pixels = this.pixels;
    this.changed(pixels);
    store.connection.tell({ do: "draw", lane: 0, pixels: pixels ? base64(pixels) : null });
  }
}

/**
 * Ink in a small picture as those of the data: as large as digits are there, and in the middle; each pixel has the mean
 * of the ink that it covers.
 * @param {Uint8ClampedArray} data
 * @param {number} side
 */
function shrunk(data, side) {
  const wide = SIZE + 1;
  const sums = new Float64Array(wide * wide);
  let [left, right, top, bottom] = [SIZE, -1, SIZE, -1];
  let [mass, mx, my] = [0, 0, 0];
  for (let y = 0; y < SIZE; y++) {
    let line = 0;
    for (let x = 0; x < SIZE; x++) {
      const ink = data[4 * (y * SIZE + x) + 3];
      if (ink > 40) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
      line += ink;
      mass += ink;
      mx += ink * x;
      my += ink * y;
      sums[(y + 1) * wide + x + 1] = sums[y * wide + x + 1] + line;
    }
  }
  const found = new Uint8Array(side * side);
  if (right < 0) return found;
  const big = side >= 16;
  const scale = Math.max(right - left + 1, bottom - top + 1) / (big ? (side * 20) / 28 : side);
  const cx = big ? mx / mass + 0.5 : (left + right + 1) / 2;
  const cy = big ? my / mass + 0.5 : (top + bottom + 1) / 2;
  const clamp = (/** @type {number} */ value) => Math.min(SIZE, Math.max(0, value));
  const sum = (/** @type {number} */ x, /** @type {number} */ y) => {
    const [px, py] = [clamp(x), clamp(y)];
    const [i, j] = [Math.min(SIZE - 1, Math.floor(px)), Math.min(SIZE - 1, Math.floor(py))];
    const [a, b] = [px - i, py - j];
    const at = j * wide + i;
    return (
      (sums[at] * (1 - a) + sums[at + 1] * a) * (1 - b) + (sums[at + wide] * (1 - a) + sums[at + wide + 1] * a) * b
    );
  };
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [x0, y0] = [cx + (x - side / 2) * scale, cy + (y - side / 2) * scale];
      const ink = sum(x0 + scale, y0 + scale) - sum(x0, y0 + scale) - sum(x0 + scale, y0) + sum(x0, y0);
      found[y * side + x] = Math.min(255, Math.round(ink / (scale * scale)));
    }
  }
  return found;
}
