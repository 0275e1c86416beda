/** The losses over the epochs, of one network or of two. */

import { token } from "./colours.js";
import { fit, h } from "./dom.js";
import { count, number } from "./format.js";
import { store } from "./store.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [38, 8, 8, 18];

export class Curves {
  constructor() {
    this.canvas = h("canvas", { role: "img", "aria-label": "Losses over the epochs", testid: "curves" });
    this.element = h("div.curves", {}, this.canvas);
    this.size = [0, 0];
    new ResizeObserver(() => {
      this.size = [this.element.clientWidth, this.element.clientHeight];
      this.draw();
    }).observe(this.element);
  }

  draw() {
    const [width, height] = this.size;
    if (!width) return;
    const brush = fit(this.canvas, width, height);
    brush.clearRect(0, 0, width, height);
    const log = store.ui.log;
    let [low, high, far] = [Infinity, -Infinity, 1];
    for (const lane of store.lanes) {
      for (const [epoch, ...losses] of lane.curve) {
        far = Math.max(far, epoch);
        for (const each of losses) {
          if (each === null || !Number.isFinite(each) || (log && each <= 0)) continue;
          low = Math.min(low, each);
          high = Math.max(high, each);
        }
      }
    }
    if (!Number.isFinite(low)) [low, high] = log ? [0.01, 1] : [0, 1];
    const value = log ? Math.log10 : (/** @type {number} */ each) => each;
    let [bottom, top] = log
      ? [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high) * 2) / 2]
      : [0, high * 1.06 || 1];
    if (top - bottom < 1e-9) top = bottom + 1;
    const x = (/** @type {number} */ epoch) => LEFT + (epoch / far) * (width - LEFT - RIGHT);
    const y = (/** @type {number} */ loss) => TOP + ((top - value(loss)) / (top - bottom)) * (height - TOP - BOTTOM);
    this.frame(brush, { log, bottom, top, far, x, y, width, height });
    const [train, test] = [token("--train"), token("--test")];
    for (const lane of store.lanes) {
      brush.setLineDash(lane.number ? [4, 3] : []);
      this.line(brush, lane.curve, 1, x, y, train, log);
      this.line(brush, lane.curve, 2, x, y, test, log);
    }
    brush.setLineDash([]);
  }

  /** @param {CanvasRenderingContext2D} brush @param {any} how */
  frame(brush, { log, bottom, top, far, x, y, width, height }) {
    brush.font = `10px ${getComputedStyle(document.body).fontFamily}`;
    brush.fillStyle = token("--soft");
    brush.strokeStyle = token("--line");
    brush.lineWidth = 1;
    brush.textBaseline = "middle";
    brush.textAlign = "right";
    for (const tick of ticks(bottom, top, log)) {
      const at = Math.round(y(tick)) + 0.5;
      brush.beginPath();
      brush.moveTo(LEFT, at);
      brush.lineTo(width - RIGHT, at);
      brush.stroke();
      brush.fillText(number(tick, 2), LEFT - 6, at);
    }
    brush.textBaseline = "alphabetic";
    brush.textAlign = "left";
    brush.fillText("0", LEFT, height - 4);
    brush.textAlign = "right";
    brush.fillText(`epoch ${count(Math.round(far))}`, x(far), height - 4);
  }

  /** @param {CanvasRenderingContext2D} brush @param {any[]} curve @param {number} which @param {any} x @param {any} y @param {string} colour @param {boolean} log */
  line(brush, curve, which, x, y, colour, log) {
    brush.beginPath();
    let drawn = false;
    let last = -1;
    for (let i = 0; i < curve.length; i++) {
      const value = curve[i][which];
      if (value === null || !Number.isFinite(value) || (log && value <= 0)) {
        drawn = false;
        continue;
      }
      const px = x(curve[i][0]);
      if (drawn && px - last < 0.4 && i < curve.length - 1) continue;
      if (drawn) brush.lineTo(px, y(value));
      else brush.moveTo(px, y(value));
      drawn = true;
      last = px;
    }
    brush.strokeStyle = colour;
    brush.lineWidth = 1.8;
    brush.lineJoin = "round";
    brush.stroke();
  }
}

/** @param {number} bottom @param {number} top @param {boolean} log */
function ticks(bottom, top, log) {
  const found = [];
  if (log) {
    const apart = Math.max(1, Math.ceil((top - bottom) / 4));
    for (let power = Math.ceil(bottom); power <= top; power += apart) found.push(10 ** power);
    return found;
  }
  const raw = (top - bottom) / 3;
  const decade = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((each) => each * decade >= raw) ?? 10) * decade;
  for (let at = 0; at <= top + 1e-12; at += step) found.push(at);
  return found;
}
