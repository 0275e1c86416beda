/** A network of the plane: features, layers of neurons with their maps, and the links between them. */

import { ofValue } from "./colours.js";
import { featureColumn, layerColumn } from "./columns.js";
import { byId, calm, h, say } from "./dom.js";
import { number, several } from "./format.js";
import { Inspector } from "./inspector.js";
import { LinkCard } from "./linkcard.js";
import { Links } from "./links.js";
import { paint } from "./maps.js";
import { change, emit, show, store } from "./store.js";

const GAP = 8;

export class NetworkView {
  /**
   * @param {import("./store.js").Lane} lane
   * @param {any} host the card that it is built in
   */
  constructor(lane, host) {
    this.lane = lane;
    this.prefix = lane.number ? "b-" : "";
    this.built = "";
    this.focus = [1, 0];
    /** @type {any[][]} buttons of neurons, by layer from 1 */
    this.neurons = [];
    /** @type {Map<string, any>} */
    this.features = new Map();
    this.canvas = h("canvas.links", { "aria-hidden": "true" });
    this.links = new Links(this.canvas);
    this.inner = h("div.stage-inner");
    this.stage = h("div.stage", { role: "group", "aria-label": this.title("Layers of the network") }, this.inner);
    this.summary = h("p.summary");
    this.layers = h("div.stepper");
    this.lit = h("div.toggle");
    /** @type {any[]} of the features, then of each layer */
    this.columns = [];
    this.output = /** @type {any} */ (null);
    this.outputKind = /** @type {any} */ (null);
    this.host = host;
    this.inspector = new Inspector(this);
    this.card = new LinkCard(this);
    host.append(this.head(), this.stage, this.inspector.element);
    this.observer = new ResizeObserver(() => this.measure());
    this.observer.observe(this.stage);
    this.listen();
  }

  /** @param {string} text */
  title(text) {
    return this.lane.number ? `${text} B` : text;
  }

  head() {
    const less = h(
      "button.round",
      {
        type: "button",
        testid: `${this.prefix}remove-layer`,
        "aria-label": "Remove the last hidden layer",
        onclick: () => this.setLayers(-1),
      },
      "−",
    );
    const more = h(
      "button.round",
      {
        type: "button",
        testid: `${this.prefix}add-layer`,
        "aria-label": "Add a hidden layer",
        onclick: () => this.setLayers(1),
      },
      "+",
    );
    this.many = h("span.many");
    this.heading = h("h2", {}, this.title("Network"));
    this.less = less;
    this.more = more;
    this.layers.append(less, this.many, more);
    return h("div.card-head", {}, this.heading, this.layers, this.summary, this.lane.number ? null : byId("link-kind"));
  }

  listen() {
    this.stage.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => this.pointed(event));
    this.stage.addEventListener("pointerleave", () => this.card.leave());
    this.stage.addEventListener("click", (/** @type {PointerEvent} */ event) => this.clicked(event));
    this.stage.addEventListener("scroll", () => this.card.close());
    this.stage.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.keyed(event));
  }

  // -- changes

  get hidden() {
    return /** @type {number[]} */ (this.lane.settings.hidden);
  }

  /** @param {number} way */
  setLayers(way) {
    const most = store.choices?.limits?.layers ?? 6;
    const hidden = way < 0 ? this.hidden.slice(0, -1) : [...this.hidden, this.hidden.at(-1) ?? 4].slice(0, most);
    const activations = [...this.lane.settings.activations];
    if (way < 0) activations.pop();
    else activations.push(activations.at(-1) ?? "tanh");
    this.alter({ hidden, activations: activations.slice(0, hidden.length) });
  }

  /** @param {number} layer from 1 @param {number} way */
  setNeurons(layer, way) {
    const most = store.choices?.limits?.neurons ?? 32;
    const hidden = [...this.hidden];
    hidden[layer - 1] = Math.min(most, Math.max(1, hidden[layer - 1] + way));
    this.alter({ hidden });
  }

  /** @param {number} layer @param {string} name */
  setActivation(layer, name) {
    const activations = [...this.lane.settings.activations];
    activations[layer - 1] = name;
    this.alter({ activations });
  }

  /** @param {string} name */
  toggleFeature(name) {
    const chosen = this.lane.settings.features.includes(name);
    const order = this.offered().map((each) => each.name);
    const features = chosen
      ? this.lane.settings.features.filter((each) => each !== name)
      : [...this.lane.settings.features, name].sort((a, b) => order.indexOf(a) - order.indexOf(b));
    if (features.length) this.alter({ features });
    else emit("problem", "A network needs one feature at least.");
  }

  /** Shows a change at once; the server has the last word. @param {Record<string, any>} settings */
  alter(settings) {
    change(settings, this.lane.number);
  }

  /** @returns {{name: string, label: string, map: string}[]} */
  offered() {
    return this.lane.data?.features ?? store.lanes[0].data?.features ?? [];
  }

  // -- building

  /** Builds what has changed of the network's form, and says the rest again. */
  build() {
    const { state, settings } = this.lane;
    if (!state || !settings || store.digits || state.settings.tab === "digits") return;
    const classes = this.classes();
    const form = JSON.stringify([
      state.layers.map((each) => each.size),
      this.offered().map((each) => each.name),
      classes,
      state.settings.features,
    ]);
    if (form !== this.built) {
      this.built = form;
      this.rebuild(state, classes);
    }
    this.refresh();
  }

  classes() {
    const { data, state } = this.lane;
    const names = (data ?? store.lanes[0].data)?.classes ?? [];
    const outputs = state.layers[state.layers.length - 1].size;
    return outputs === 1 ? [""] : Array.from({ length: outputs }, (_, at) => names[at] ?? String(at));
  }

  /** @param {any} state @param {string[]} classes */
  rebuild(state, classes) {
    const active =
      document.activeElement instanceof HTMLElement && this.host.contains(document.activeElement)
        ? document.activeElement.dataset.testid
        : null;
    this.card.close();
    const layers = state.layers;
    const last = layers.length - 1;
    const highest = Math.max(...layers.slice(1).map((/** @type {any} */ each) => each.size));
    const size = highest <= 6 ? 44 : highest <= 8 ? 40 : highest <= 12 ? 34 : highest <= 18 ? 28 : 24;
    this.stage.style.setProperty("--neuron", `${size}px`);
    this.stage.style.setProperty("--gap", `${highest <= 8 ? GAP + 2 : highest <= 18 ? 6 : 3}px`);
    this.stage.classList.toggle("dense", highest > 12);
    this.stage.classList.toggle("deep", last > 5);
    this.neurons = [[]];
    this.columns = [];
    const parts = [this.canvas, featureColumn(this)];
    for (let layer = 1; layer <= last; layer++) {
      const names = layer === last ? classes : null;
      parts.push(layerColumn(this, layer, layers[layer].size, names));
    }
    this.inner.replaceChildren(...parts);
    this.columns.unshift(parts[1]);
    this.columns.forEach((column, at) => {
      column.addEventListener("pointerenter", () => emit("look", this.lane, at));
      column.addEventListener("pointerleave", () => emit("look", this.lane, null));
    });
    this.focus = this.neurons[this.focus[0]]?.[this.focus[1]] ? this.focus : [1, 0];
    this.roam();
    this.inspector.check();
    this.measure();
    if (active)
      /** @type {any} */ (this.host.querySelector(`[data-testid="${CSS.escape(active)}"]`))?.focus({
        preventScroll: true,
      });
  }

  /** @param {number} layer @param {number} at */
  neuronName(layer, at) {
    const last = this.lane.state.layers.length - 1;
    if (layer < last) return `Neuron ${at + 1} of layer ${layer}`;
    const names = this.classes();
    return names.length === 1 ? "Output neuron" : `Output neuron of class ${names[at]}`;
  }

  /** What changes without another form: names of activations, which features are taken. */
  refresh() {
    const { settings, state } = this.lane;
    const many = settings.hidden.length;
    say(this.heading, store.race ? `Network ${this.lane.number ? "B" : "A"}` : "Network");
    say(this.many, several(many, "hidden layer"));
    this.less.disabled = many === 0;
    this.more.disabled = many >= (store.choices?.limits?.layers ?? 6);
    const weights = state.parameters.reduce((sum, each) => sum + each.shape.reduce((a, b) => a * b, 1), 0);
    say(this.summary, several(weights, "parameter"));
    for (const [name, { button }] of this.features)
      button.setAttribute("aria-pressed", String(settings.features.includes(name)));
    settings.activations.forEach((name, at) => {
      const select = this.columns[at + 1]?.firstChild.select;
      if (select && document.activeElement !== select) select.value = name;
    });
    if (document.activeElement !== this.output) this.output.value = settings.output;
    const used = state.layers[state.layers.length - 1].activation;
    say(this.outputKind, settings.output === "auto" && used ? used : "");
  }

  // -- places

  measure() {
    if (!this.neurons.length || !this.lane.state || this.stage.clientWidth === 0) return;
    const origin = this.inner.getBoundingClientRect();
    const place = (/** @type {any} */ element) => {
      const box = element.getBoundingClientRect();
      return { left: box.left - origin.left, right: box.right - origin.left, y: box.top + box.height / 2 - origin.top };
    };
    const inputs = this.lane.state.settings.features.map((name) => this.features.get(name)).filter(Boolean);
    const size = this.lane.state.layers[0].size;
    const places = [inputs.slice(0, size).map((each) => place(each.canvas))];
    for (const layer of this.neurons.slice(1)) places.push(layer.map((each) => place(each)));
    const starts = this.lane.state.layers.slice(1).map((each) => this.start(each.weight));
    this.links.layout(places, starts, this.inner.clientWidth, this.inner.clientHeight);
    this.redraw();
  }

  /** @param {string} path */
  start(path) {
    return this.lane.state.parameters.find((each) => each.path === path)?.start ?? 0;
  }

  // -- drawing

  /** @param {import("./frames.js").Frame} frame */
  draw(frame) {
    const { state } = this.lane;
    if (!state || !this.neurons.length) return;
    const side = state.maps;
    let at = 0;
    if (frame.maps) {
      for (let layer = 1; layer < this.neurons.length; layer++) {
        for (const button of this.neurons[layer]) {
          if (at + side * side > frame.maps.length) break;
          paint(button.canvas, frame.maps, side, at);
          at += side * side;
        }
      }
    }
    if (this.links.due || !this.lane.running) this.redraw();
    this.biases(frame);
    this.inspector.draw(frame);
    this.card.draw();
  }

  redraw() {
    const frame = this.lane.frame;
    const values = store.ui.gradients ? frame?.gradients : frame?.parameters;
    const expected = this.lane.state?.parameters.at(-1);
    if (!values || !expected || values.length !== expected.start + expected.shape.reduce((a, b) => a * b, 1)) return;
    const hover = store.ui.hover;
    this.links.draw(values, {
      relative: store.ui.gradients,
      moving: this.lane.running && !calm(),
      chosen: this.card.link,
      neuron: hover && hover.lane === this.lane.number ? hover : this.inspector.at,
    });
  }

  /** @param {import("./frames.js").Frame} frame */
  biases(frame) {
    if (!frame.parameters) return;
    const layers = this.lane.state.layers;
    for (let layer = 1; layer < this.neurons.length; layer++) {
      const start = this.start(layers[layer].bias);
      this.neurons[layer].forEach((button, at) => {
        const value = /** @type {Float32Array} */ (frame.parameters)[start + at];
        const colour = ofValue(Math.tanh(value));
        if (button.colour !== colour) button.bias.style.backgroundColor = button.colour = colour;
        if (button.biasInput && document.activeElement !== button.biasInput) {
          const text = number(value);
          if (button.biasInput.value !== text) button.biasInput.value = text;
        }
      });
    }
  }

  // -- looking at one

  /**
   * Shows a neuron or a feature large, in place of the output.
   * @param {[number, number] | null} neuron
   * @param {{name: string, values: Int8Array, side: number} | null} feature
   */
  enlarge(neuron, feature) {
    const at = neuron;
    const before = store.ui.hover;
    const next = at && !feature ? { lane: this.lane.number, layer: at[0], number: at[1] } : null;
    if (before?.lane !== next?.lane || before?.layer !== next?.layer || before?.number !== next?.number) {
      store.connection.tell({ do: "hover", lane: this.lane.number, neuron: at && !feature ? at : null });
    }
    show({ hover: next });
    emit("enlarge", this.lane, next ? { name: this.neuronName(next.layer, next.number), neuron: at } : feature);
    this.redraw();
  }

  /** @param {number} layer @param {number} at */
  focused(layer, at) {
    this.focus = [layer, at];
    this.roam();
    this.enlarge([layer, at], null);
    if (/** @type {any} */ (this.neurons[layer][at]).matches(":focus-visible")) this.inspector.open(layer, at);
  }

  /** @param {number} layer @param {number} at */
  opened(layer, at) {
    this.inspector.open(layer, at, true);
  }

  /** One neuron is reached by Tab, the others by arrow keys. */
  roam() {
    this.neurons.forEach((layer, l) =>
      layer.forEach((button, at) => (button.tabIndex = l === this.focus[0] && at === this.focus[1] ? 0 : -1)),
    );
  }

  /** @param {KeyboardEvent} event */
  keyed(event) {
    const target = /** @type {any} */ (event.target);
    if (!target.classList.contains("neuron")) return;
    const [layer, at] = this.focus;
    const move = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    const to = Math.min(this.neurons.length - 1, Math.max(1, layer + move[0]));
    const next = this.neurons[to][Math.min(this.neurons[to].length - 1, Math.max(0, at + move[1]))];
    next?.focus();
  }

  /** @param {PointerEvent} event @returns {[number, number]} */
  local(event) {
    const box = this.inner.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** @param {PointerEvent} event */
  pointed(event) {
    if (event.pointerType === "touch") return;
    const free = !(/** @type {any} */ (event.target).closest("button, select, input"));
    const link = free ? this.links.under(...this.local(event)) : null;
    this.stage.classList.toggle("on-link", Boolean(link));
    this.card.hover(link, event);
  }

  /** @param {PointerEvent} event */
  clicked(event) {
    if (/** @type {any} */ (event.target).closest("button, select, input, .link-card")) return;
    const link = this.links.under(...this.local(event));
    if (link) this.card.pin(link, event);
    else {
      this.card.close();
      this.inspector.close();
    }
  }

  /**
   * Gives one weight or bias another value.
   * @param {string} path
   * @param {number[]} index
   * @param {string} text
   * @param {any} [input]
   */
  async edit(path, index, text, input) {
    const value = Number(text.trim().replace("−", "-").replace(",", "."));
    if (text.trim() === "" || !Number.isFinite(value)) {
      emit("problem", `A weight or bias is a number; “${text}” is none.`);
      return;
    }
    try {
      await store.connection.ask({ do: "edit", lane: this.lane.number, path, index, value });
      if (input) input.dataset.kept = text;
    } catch (error) {
      emit("problem", /** @type {Error} */ (error).message);
    }
  }

  /** Marks a layer that a step of the plan belongs to. @param {number | null} layer */
  light(layer) {
    this.columns?.forEach((column, at) => column.classList.toggle("lit", at === layer));
  }

  close() {
    this.observer.disconnect();
    this.card.remove();
    this.host.replaceChildren();
  }
}
