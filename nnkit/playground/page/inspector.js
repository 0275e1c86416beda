/** One neuron, large: its map, its bias and all weights that come into it, as numbers to edit. */

import { sign } from "./colours.js";
import { h, say } from "./dom.js";
import { number } from "./format.js";
import { paint } from "./maps.js";

const PAUSE = 120;

export class Inspector {
  /** @param {import("./network.js").NetworkView} view */
  constructor(view) {
    this.view = view;
    /** @type {{layer: number, number: number} | null} */
    this.at = null;
    this.last = 0;
    this.title = h("h3");
    this.canvas = h("canvas", { role: "img", "aria-label": "Map of this neuron", width: 32, height: 32 });
    this.bias = this.input("Bias", `${view.prefix}inspector-bias`);
    this.weights = h("div.weights", { role: "group", "aria-label": "Incoming weights" });
    this.rows = /** @type {any[]} */ ([]);
    this.element = h(
      "section.inspector",
      {
        "aria-label": "Neuron",
        testid: `${view.prefix}inspector`,
        onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && this.leave(),
      },
      h("div.inspector-map", {}, this.canvas),
      h(
        "div.inspector-main",
        {},
        h(
          "div.inspector-head",
          {},
          this.title,
          this.bias.element,
          h(
            "button.quiet.close",
            {
              type: "button",
              "aria-label": "Close the neuron",
              testid: `${view.prefix}inspector-close`,
              onclick: () => this.leave(),
            },
            "×",
          ),
        ),
        this.weights,
      ),
    );
    this.element.hidden = true;
    this.bias.input.addEventListener("change", () => this.edit("bias", null, this.bias.input));
  }

  /** @param {string} label @param {string} testid */
  input(label, testid) {
    const bar = h("span.weight-bar", { "aria-hidden": "true" }, h("span"));
    const input = h("input", { type: "text", inputmode: "decimal", autocomplete: "off", testid, onkeydown: arrows });
    const gradient = h("span.gradient");
    return {
      element: h("label.weight", {}, h("span.weight-name", {}, label), input, bar, gradient),
      input,
      bar: bar.firstChild,
      gradient,
    };
  }

  /** @param {number} layer @param {number} at @param {boolean} [enter] whether to go on to its first field */
  open(layer, at, enter = false) {
    const again = this.at?.layer === layer && this.at?.number === at && !this.element.hidden;
    this.at = { layer, number: at };
    const { view } = this;
    say(this.title, view.neuronName(layer, at));
    if (!again) {
      const names = this.sources(layer);
      this.rows = names.map((name, from) => {
        const row = this.input(name, `${view.prefix}weight-${from + 1}`);
        row.input.addEventListener("change", () => this.edit("weight", from, row.input));
        return row;
      });
      this.weights.replaceChildren(...this.rows.map((row) => row.element));
    }
    this.element.hidden = false;
    this.last = 0;
    view.redraw();
    if (view.lane.frame) this.draw(view.lane.frame);
    if (again && enter) this.bias.input.focus();
  }

  /** @param {number} layer */
  sources(layer) {
    const { view } = this;
    const state = view.lane.state;
    if (layer > 1) return Array.from({ length: state.layers[layer - 1].size }, (_, at) => `from neuron ${at + 1}`);
    const labels = new Map(view.offered().map(({ name, label }) => [name, label]));
    return state.settings.features.slice(0, state.layers[0].size).map((name) => `from ${labels.get(name) ?? name}`);
  }

  /** @param {"weight" | "bias"} kind @param {number | null} from @param {any} input */
  edit(kind, from, input) {
    if (!this.at) return;
    const layer = this.view.lane.state.layers[this.at.layer];
    this.view.edit(layer[kind], from === null ? [this.at.number] : [from, this.at.number], input.value, input);
  }

  /** After the network's form has changed. */
  check() {
    if (!this.at) return;
    const { layer, number: at } = this.at;
    if (!this.view.neurons[layer]?.[at]) this.close();
    else {
      this.at = null;
      this.open(layer, at);
    }
  }

  /** @param {import("./frames.js").Frame} frame */
  draw(frame) {
    const now = performance.now();
    if (!this.at || !frame.parameters || now - this.last < PAUSE) return;
    this.last = now;
    const { state } = this.view.lane;
    const { layer, number: at } = this.at;
    const side = state.maps;
    let before = at;
    for (let l = 1; l < layer; l++) before += state.layers[l].size;
    if (frame.maps) paint(this.canvas, frame.maps, side, before * side * side);
    const size = state.layers[layer].size;
    const start = this.view.start(state.layers[layer].weight);
    this.rows.forEach((row, from) => this.word(row, frame, start + from * size + at));
    this.word(this.bias, frame, this.view.start(state.layers[layer].bias) + at);
  }

  /** @param {any} row @param {import("./frames.js").Frame} frame @param {number} index */
  word(row, frame, index) {
    const value = /** @type {Float32Array} */ (frame.parameters)[index];
    if (document.activeElement !== row.input) row.input.value = number(value);
    const share = Math.min(1, Math.abs(value) / 3) * 50;
    row.bar.style.width = `${share}%`;
    row.bar.style.left = value < 0 ? `${50 - share}%` : "50%";
    row.bar.style.backgroundColor = sign(value < 0);
    say(row.gradient, frame.gradients ? `∂ ${number(frame.gradients[index], 2)}` : "");
  }

  /** Closes it and goes back to the neuron. */
  leave() {
    const at = this.at;
    this.close();
    if (at) this.view.neurons[at.layer]?.[at.number]?.focus({ preventScroll: true, focusVisible: false });
    if (at) this.close();
  }

  close() {
    if (!this.at) return;
    this.at = null;
    this.element.hidden = true;
    this.view.enlarge(null, null);
  }
}

/** Arrow keys go up and down by a tenth. @param {KeyboardEvent} event */
export function arrows(event) {
  const input = /** @type {any} */ (event.target);
  if (event.key === "Enter") input.dispatchEvent(new Event("change"));
  const way = event.key === "ArrowUp" ? 0.1 : event.key === "ArrowDown" ? -0.1 : 0;
  if (!way) return;
  event.preventDefault();
  const value = Number(input.value.replace("−", "-")) + way * (event.shiftKey ? 10 : 1);
  input.value = String(Number(value.toFixed(4))).replace("-", "−");
  input.dispatchEvent(new Event("change"));
}
