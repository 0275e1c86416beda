/** The output over the plane with the points on it; a neuron or feature in its place while one looks at it. */

import { colours, ofPoint } from "./colours.js";
import { fit, h, say } from "./dom.js";
import { number } from "./format.js";
import { paint, paintClasses, paintSigns } from "./maps.js";
import { store } from "./store.js";

/** A number at the end of an axis. @param {number} value */
export const ending = (value) =>
  Number.isInteger(value) && Math.abs(value) < 1e4 ? String(value).replace("-", "−") : number(value);

export class Plot {
  /** @param {import("./store.js").Lane} lane */
  constructor(lane) {
    this.lane = lane;
    const mark = lane.number ? "b-" : "";
    this.map = h("canvas.plot-map", {
      role: "img",
      "aria-label": "The network's output over the plane",
      testid: `${mark}output-map`,
    });
    this.dots = h("canvas.plot-dots", { "aria-hidden": "true" });
    this.name = h("span.plot-name");
    this.low = [h("span"), h("span")];
    this.high = [h("span"), h("span")];
    const badge = store.race ? h("span.plot-lane", { "aria-hidden": "true" }, lane.number ? "B" : "A") : null;
    this.box = h("div.plot-box", { testid: `${mark}output-plot` }, this.map, this.dots, this.name, badge);
    this.across = h("div.axis.across", { "aria-hidden": "true" }, this.low[0], h("span.axis-name"), this.high[0]);
    this.upright = h("div.axis.upright", { "aria-hidden": "true" }, this.high[1], h("span.axis-name"), this.low[1]);
    this.element = h("div.plot", {}, this.upright, this.box, this.across);
    /** @type {{name: string, values?: Int8Array, side?: number, neuron?: [number, number]} | null} */
    this.large = null;
    this.size = 0;
    this.sure = new Int8Array(0);
    new ResizeObserver(() => this.resized()).observe(this.box);
  }

  get data() {
    return this.lane.data ?? store.lanes[0].data;
  }

  /** @param {0 | 1} axis @returns {[number, number]} */
  range(axis) {
    const range = this.data?.range ?? [-6, 6];
    return Array.isArray(range[0]) ? range[axis] : range;
  }

  resized() {
    const size = this.box.clientWidth;
    if (size === this.size) return;
    this.size = size;
    this.points();
  }

  /** The points, which change with the data only. */
  points() {
    const { data, size } = this;
    if (!data || !size) return;
    const brush = fit(this.dots, size, size);
    brush.clearRect(0, 0, size, size);
    const [x0, x1] = this.range(0);
    const [y0, y1] = this.range(1);
    for (const axis of [0, 1])
      (data.ends?.[axis] ?? this.range(/** @type {0 | 1} */ (axis))).forEach(
        (/** @type {number} */ value, /** @type {number} */ at) =>
          say([this.low, this.high][at][axis], ending(value)),
      );
    for (const end of [this.low[1], this.high[1]]) end.classList.toggle("long", end.textContent.length > 4);
    say(this.across.children[1], data.axes?.[0] ?? "");
    say(this.upright.children[1], data.axes?.[1] ?? "");
    const { x, y, label, test } = data.points;
    const regression = data.kind === "regression";
    const radius = Math.max(2, Math.min(3.6, size / 85)) * (x.length > 600 ? 0.85 : 1);
    const paper = colours().theme === "dark" ? "rgba(10,13,18,0.85)" : "rgba(255,255,255,0.95)";
    const ink = colours().theme === "dark" ? "#f2f5f9" : "#171c24";
    for (const held of [false, true]) {
      if (held && !store.ui.test) continue;
      for (let i = 0; i < x.length; i++) {
        if (Boolean(test[i]) !== held) continue;
        brush.beginPath();
        brush.arc(((x[i] - x0) / (x1 - x0)) * size, ((y1 - y[i]) / (y1 - y0)) * size, radius, 0, 7);
        brush.fillStyle = ofPoint(label[i], regression, data.classes.length);
        brush.fill();
        brush.lineWidth = held ? 1.4 : 1;
        brush.strokeStyle = held ? ink : paper;
        brush.stroke();
      }
    }
  }

  /** @param {{name: string, values?: Int8Array, side?: number, neuron?: [number, number]} | null} large */
  enlarge(large) {
    this.large = large;
    this.element.classList.toggle("enlarged", Boolean(large));
    say(this.name, large ? large.name : "");
    if (this.lane.frame) this.draw(this.lane.frame);
  }

  /** @param {import("./frames.js").Frame} frame */
  draw(frame) {
    const grid = this.lane.state?.grid;
    if (!grid) return;
    if (this.large && this.looked(frame, grid)) return;
    if (!frame.output || frame.output.length !== grid * grid) return;
    if (frame.likeliest) paintClasses(this.map, frame.likeliest, this.surer(frame.output), grid, store.ui.discrete);
    else if (store.ui.discrete && this.data?.kind !== "regression") paintSigns(this.map, frame.output, grid);
    else if (store.ui.discrete) paintSigns(this.map, frame.output, grid);
    else paint(this.map, frame.output, grid);
  }

  /** Chance is pale: what is likeliest by nothing is no knowledge. @param {Int8Array} output */
  surer(output) {
    const chance = 127 / Math.max(2, this.data?.classes.length ?? 2);
    if (this.sure.length !== output.length) this.sure = new Int8Array(output.length);
    for (let i = 0; i < output.length; i++) this.sure[i] = Math.max(0, ((output[i] - chance) / (127 - chance)) * 127);
    return this.sure;
  }

  /** @param {import("./frames.js").Frame} frame @param {number} grid */
  looked(frame, grid) {
    const large = this.large;
    if (!large) return false;
    if (large.values && large.side) {
      paint(this.map, large.values, large.side);
      return true;
    }
    if (!large.neuron) return false;
    const { state } = this.lane;
    if (frame.large && this.hovered(frame)) {
      paint(this.map, frame.large, grid);
      return true;
    }
    let before = large.neuron[1];
    for (let layer = 1; layer < large.neuron[0]; layer++) before += state.layers[layer].size;
    const side = state.maps;
    if (!frame.maps || frame.maps.length < (before + 1) * side * side) return false;
    paint(this.map, frame.maps, side, before * side * side);
    return true;
  }

  /** Whether the large map is that of this neuron. @param {import("./frames.js").Frame} frame */
  hovered(frame) {
    const [of, neuron] = [frame.largeOf, this.large?.neuron];
    return !!of && !!neuron && of[0] === neuron[0] && of[1] === neuron[1];
  }
}
