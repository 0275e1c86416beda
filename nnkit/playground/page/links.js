/** All links between neurons on one canvas: how wide and which colour, and which one is under the pointer. */

import { sign, token } from "./colours.js";
import { fit } from "./dom.js";

const BUCKETS = 14;
const ANIMATED = 160;
/** Beyond so many links, they are drawn a few times a second only: strokes cost more than all else on the page. */
const MANY = 800;
const RARELY_MS = 250;
const SAMPLES = 18;

/** @typedef {{left: number, right: number, y: number}} Place */
/** @typedef {{layer: number, from: number, to: number, index: number}} Link `layer` counts from the inputs, 0; `index` is its place among the parameters */

export class Links {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.count = 0;
    this.width = this.height = 0;
    this.offset = 0;
    this.slow = 0;
    this.drawn = 0;
    /** Four coordinates of each link: from x, y and to x, y. */
    this.lines = new Float32Array(0);
    this.index = new Int32Array(0);
    /** Layer, from and to of each. */
    this.of = new Int16Array(0);
    this.bucket = new Uint8Array(0);
    this.order = new Int32Array(0);
    this.ends = new Int32Array(2 * BUCKETS + 1);
    /** @type {[number, number][]} first and last link of each layer */
    this.bounds = [];
  }

  /**
   * Takes the places of all neurons, layer by layer, and where each layer's weights begin.
   * @param {Place[][]} layers
   * @param {number[]} starts
   * @param {number} width
   * @param {number} height
   */
  layout(layers, starts, width, height) {
    [this.width, this.height] = [width, height];
    let count = 0;
    for (let l = 0; l + 1 < layers.length; l++) count += layers[l].length * layers[l + 1].length;
    this.count = count;
    this.lines = new Float32Array(4 * count);
    this.index = new Int32Array(count);
    this.of = new Int16Array(3 * count);
    this.bucket = new Uint8Array(count);
    this.order = new Int32Array(count);
    this.bounds = [];
    let at = 0;
    for (let l = 0; l + 1 < layers.length; l++) {
      const first = at;
      for (let i = 0; i < layers[l].length; i++) {
        for (let j = 0; j < layers[l + 1].length; j++) {
          this.lines.set([layers[l][i].right, layers[l][i].y, layers[l + 1][j].left, layers[l + 1][j].y], 4 * at);
          this.index[at] = starts[l] + i * layers[l + 1].length + j;
          this.of.set([l + 1, i, j], 3 * at);
          at += 1;
        }
      }
      this.bounds.push([first, at]);
    }
  }

  /** Whether it is time to draw them for the next frame of a training. */
  get due() {
    return this.count <= MANY || performance.now() - this.drawn > RARELY_MS;
  }

  /**
   * Draws all links.
   * @param {Float32Array} values
   * @param {object} how
   * @param {boolean} how.relative widths relative to the largest of a layer, for gradients
   * @param {boolean} how.moving
   * @param {Link | null} how.chosen
   * @param {{layer: number, number: number} | null} how.neuron whose links stand out
   */
  draw(values, { relative, moving, chosen, neuron }) {
    const brush = fit(this.canvas, this.width, this.height);
    brush.clearRect(0, 0, this.width, this.height);
    if (!this.count) return;
    const began = performance.now();
    this.sort(values, relative);
    brush.lineCap = "butt";
    const fine = this.count > 1500 ? 0.6 : 1;
    for (let b = 0; b < 2 * BUCKETS; b++) {
      if (this.ends[b] === this.ends[b + 1]) continue;
      const share = (b >> 1) / (BUCKETS - 1);
      brush.strokeStyle = sign((b & 1) === 1, (0.16 + 0.74 * share) * (neuron ? 0.35 : 1));
      brush.lineWidth = (0.7 + 6.3 * share) * fine;
      this.path(brush, this.ends[b], this.ends[b + 1]);
    }
    if (neuron) this.bring(brush, neuron);
    if (moving && this.count <= ANIMATED && this.slow < 5) this.flow(brush);
    if (chosen) this.mark(brush, chosen);
    this.drawn = performance.now();
    this.slow += (this.drawn - began - this.slow) * 0.05;
  }

  /** Orders links by how they look, so that equal ones are one stroke. @param {Float32Array} values @param {boolean} relative */
  sort(values, relative) {
    const { index, bucket, order, ends } = this;
    const counts = new Int32Array(2 * BUCKETS + 1);
    for (const [first, last] of this.bounds) {
      let scale = 1.1;
      if (relative) {
        let largest = 1e-12;
        for (let at = first; at < last; at++) largest = Math.max(largest, Math.abs(values[index[at]]));
        scale = 2.6 / largest;
      }
      for (let at = first; at < last; at++) {
        const value = values[index[at]];
        const share = 1 - Math.exp(-Math.abs(value) * scale * 0.7);
        const b = 2 * Math.min(BUCKETS - 1, Math.floor(share * BUCKETS) || 0) + (value < 0 ? 1 : 0);
        bucket[at] = b;
        counts[b + 1] += 1;
      }
    }
    for (let b = 0; b < 2 * BUCKETS; b++) counts[b + 1] += counts[b];
    ends.set(counts);
    for (let at = 0; at < this.count; at++) order[counts[bucket[at]]++] = at;
  }

  /** @param {CanvasRenderingContext2D} brush @param {number} first @param {number} last */
  path(brush, first, last) {
    brush.beginPath();
    for (let at = first; at < last; at++) this.curve(brush, this.order[at]);
    brush.stroke();
  }

  /** @param {CanvasRenderingContext2D} brush @param {number} link */
  curve(brush, link) {
    const at = 4 * link;
    const [x, y, u, v] = [this.lines[at], this.lines[at + 1], this.lines[at + 2], this.lines[at + 3]];
    const bend = (u - x) * 0.45;
    brush.moveTo(x, y);
    brush.bezierCurveTo(x + bend, y, u - bend, v, u, v);
  }

  /** Light that moves along the stronger links. @param {CanvasRenderingContext2D} brush */
  flow(brush) {
    this.offset = (performance.now() / 26) % 18;
    brush.setLineDash([3, 15]);
    brush.lineDashOffset = -this.offset;
    brush.strokeStyle = token("--flow");
    for (const half of [3, 8]) {
      brush.lineWidth = half === 3 ? 1.2 : 2.4;
      this.path(brush, this.ends[2 * half], half === 3 ? this.ends[16] : this.ends[2 * BUCKETS]);
    }
    brush.setLineDash([]);
  }

  /** The links of one neuron above the others. @param {CanvasRenderingContext2D} brush @param {{layer: number, number: number}} neuron */
  bring(brush, neuron) {
    for (let at = 0; at < this.count; at++) {
      const [layer, from, to] = [this.of[3 * at], this.of[3 * at + 1], this.of[3 * at + 2]];
      if (!(layer === neuron.layer && to === neuron.number) && !(layer === neuron.layer + 1 && from === neuron.number))
        continue;
      const share = (this.bucket[at] >> 1) / (BUCKETS - 1);
      brush.strokeStyle = sign((this.bucket[at] & 1) === 1, 0.35 + 0.6 * share);
      brush.lineWidth = 1 + 6.3 * share;
      brush.beginPath();
      this.curve(brush, at);
      brush.stroke();
    }
  }

  /** @param {CanvasRenderingContext2D} brush @param {Link} chosen */
  mark(brush, chosen) {
    for (let at = 0; at < this.count; at++) {
      if (this.index[at] !== chosen.index) continue;
      const share = (this.bucket[at] >> 1) / (BUCKETS - 1);
      for (const [more, style] of /** @type {[number, string][]} */ ([
        [5, token("--ink")],
        [2.5, token("--card")],
        [0.5, sign((this.bucket[at] & 1) === 1)],
      ])) {
        brush.strokeStyle = style;
        brush.lineWidth = 0.7 + 6.3 * share + more;
        brush.beginPath();
        this.curve(brush, at);
        brush.stroke();
      }
    }
  }

  /**
   * The link that is nearest to a place, within 7 pixels.
   * @param {number} px
   * @param {number} py
   * @returns {Link | null}
   */
  under(px, py) {
    let [best, found] = [49, -1];
    for (let link = 0; link < this.count; link++) {
      const at = 4 * link;
      const [x, y, u, v] = [this.lines[at], this.lines[at + 1], this.lines[at + 2], this.lines[at + 3]];
      if (px < x - 4 || px > u + 4 || py < Math.min(y, v) - 8 || py > Math.max(y, v) + 8) continue;
      // x of the curve goes up with t, so that t is found by halving; then the distance upright, by the slope.
      const bend = 0.45 * (u - x);
      let [low, high] = [0, 1];
      for (let turn = 0; turn < SAMPLES; turn++) {
        const t = (low + high) / 2;
        const s = 1 - t;
        const here = s * s * s * x + 3 * s * s * t * (x + bend) + 3 * s * t * t * (u - bend) + t * t * t * u;
        if (here < px) low = t;
        else high = t;
      }
      const t = (low + high) / 2;
      const s = 1 - t;
      const cy = s * s * (s + 3 * t) * y + t * t * (t + 3 * s) * v;
      const dx = 3 * (s * s * bend + 2 * s * t * (u - x - 2 * bend) + t * t * bend);
      const dy = 6 * s * t * (v - y);
      const upright = py - cy;
      const distance = (upright * upright * dx * dx) / (dx * dx + dy * dy || 1);
      if (distance < best) [best, found] = [distance, link];
    }
    if (found < 0) return null;
    return {
      layer: this.of[3 * found],
      from: this.of[3 * found + 1],
      to: this.of[3 * found + 2],
      index: this.index[found],
    };
  }
}
