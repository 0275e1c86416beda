/** The tab of digits: wide layers as strips, the first layer's weights as pictures, the pad and what is read on it. */

import { colours, onTheme } from "./colours.js";
import { byId, calm, h, say } from "./dom.js";
import { offer } from "./fields.js";
import { percent, several } from "./format.js";
import { brush, paintInk, sheet } from "./maps.js";
import { mistakes } from "./mistakes.js";
import { Pad } from "./pad.js";
import { change, emit, on, store } from "./store.js";

const WIDEST = 64;
const ACROSS = 16;
const SIZES = [1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024];
let built = "";
let lane = () => store.lanes[0];
/** @type {any[]} */
let strips = [];
/** @type {any[]} */
let bars = [];
let pictures = h("canvas");
let sees = h("canvas");
const pad = new Pad((pixels) => shown(pixels));
const verdict = h("p.verdict", { testid: "verdict", role: "status" });

export function digits() {
  const probabilities = h("div.probabilities", {
    role: "group",
    "aria-label": "How sure the network is of each digit",
  });
  for (let at = 0; at < 10; at++) {
    const bar = h("i");
    const value = h("output", { testid: `probability-${at}` });
    const row = h(
      "div.probability",
      {},
      h("b", {}, String(at)),
      h("span.probability-bar", { "aria-hidden": "true" }, bar),
      value,
    );
    bars.push({ row, bar, value });
    probabilities.append(row);
  }
  byId("pad-part").append(
    h(
      "div.card-head",
      {},
      h("h2", {}, "Write a digit"),
      h("button.plain", { type: "button", testid: "clear-pad", onclick: () => pad.clear() }, "Clear"),
    ),
    pad.canvas,
    verdict,
    probabilities,
  );
  mistakes((pixels) => {
    pad.take(pixels);
    byId("pad-part").scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
  });
  on("state", (of) => of.number === 0 && build());
  on("data", (of) => {
    if (of.number) return;
    build();
    if (store.digits && !pad.empty) pad.tell(); // what reads it is new and has not seen it
  });
  on("settings", (of) => of.number === 0 && refresh());
  on("frame", (of) => of.number === 0 && store.digits && draw(of.frame));
  on("light", (of, layer) =>
    document.querySelectorAll(".digit-layer").forEach((each, at) => each.classList.toggle("lit", at === layer)),
  );
  on("tab", () => (built = ""));
  onTheme(() => {
    built = "";
    pad.clear();
    build();
  });
}

/** @param {Record<string, any>} settings */
function alter(settings) {
  change(settings);
}

function build() {
  const { state, data } = lane();
  if (!store.digits || !state || state.settings.tab !== "digits" || !data || data.features.length) return;
  const side = data.size ?? Math.round(Math.sqrt(state.layers[0].size));
  const form = JSON.stringify([state.layers.map((each) => each.size), side]);
  if (form === built) return;
  built = form;
  if (pad.side !== side) {
    pad.side = side;
    pad.clear();
  }
  const hidden = state.layers.slice(1, -1);
  const last = state.layers[state.layers.length - 1];
  strips = [];
  sees = h("canvas.sees", {
    role: "img",
    "aria-label": "What the network gets of the drawing",
    width: side,
    height: side,
  });
  const input = row(
    0,
    "Input",
    h("p.hint", {}, `${side} × ${side} pixels`),
    null,
    h(
      "div.sees-box",
      {},
      sees,
      h("p.hint", {}, "your drawing as the network gets it: as large as the digits of the data, and in the middle"),
    ),
  );
  const rows = hidden.map((layer, at) => layerRow(layer, at, side));
  const output = row(
    hidden.length + 1,
    "Output",
    h("p.hint", {}, `${state.outputs} classes, ${last.activation ?? ""}`),
    null,
    strip(last.size),
  );
  const less = h(
    "button.round",
    {
      type: "button",
      testid: "digits-remove-layer",
      "aria-label": "Remove the last hidden layer",
      onclick: () => setLayers(-1),
    },
    "−",
  );
  const more = h(
    "button.round",
    { type: "button", testid: "digits-add-layer", "aria-label": "Add a hidden layer", onclick: () => setLayers(1) },
    "+",
  );
  less.disabled = !hidden.length;
  more.disabled = hidden.length >= (store.choices.limits?.layers ?? 6);
  const weights = state.parameters.reduce((sum, each) => sum + each.shape.reduce((a, b) => a * b, 1), 0);
  const focus = /** @type {any} */ (document.activeElement)?.dataset?.testid;
  byId("digits-network").replaceChildren(
    h(
      "div.card-head",
      {},
      h("h2", {}, "Network"),
      h("div.stepper", {}, less, h("span.many", {}, several(hidden.length, "hidden layer")), more),
      h("p.summary", {}, several(weights, "parameter")),
    ),
    input,
    ...rows,
    output,
  );
  if (focus)
    /** @type {any} */ (byId("digits-network").querySelector(`[data-testid="${CSS.escape(focus)}"]`))?.focus({
      preventScroll: true,
    });
  refresh();
  shown(pad.pixels);
  const { frame } = lane();
  if (frame) draw(frame);
}

/** @param {number} at @param {string} name @param {any} about @param {any} tools @param {...any} content */
function row(at, name, about, tools, ...content) {
  return h(
    "div.digit-layer",
    {
      role: "group",
      "aria-label": name,
      onpointerenter: () => emit("look", lane(), at),
      onpointerleave: () => emit("look", lane(), null),
    },
    h("div.digit-head", {}, h("h3", {}, name), about, tools),
    h("div.digit-content", {}, ...content),
  );
}

/** @param {any} layer @param {number} at @param {number} side */
function layerRow(layer, at, side) {
  const number = at + 1;
  const select = h("select", {
    testid: `activation-${number}`,
    "aria-label": `Activation of hidden layer ${number}`,
    onchange: () => setAt("activations", at, select.value),
  });
  offer(select, store.choices.activations ?? []);
  const input = h("input", {
    type: "text",
    inputmode: "numeric",
    autocomplete: "off",
    value: String(layer.size),
    testid: `neurons-${number}`,
    "aria-label": `Neurons of hidden layer ${number}`,
    oninput: () => (input.dataset.edited = "true"),
    onblur: () => delete input.dataset.edited,
    onchange: () => {
      delete input.dataset.edited;
      setAt("hidden", at, Number(input.value) || input.value);
    },
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      const way = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
      if (!way) return;
      event.preventDefault();
      jump(at, way);
    },
  });
  const less = h(
    "button.round.small",
    {
      type: "button",
      testid: `remove-neuron-${number}`,
      "aria-label": `Fewer neurons in layer ${number}`,
      onclick: () => jump(at, -1),
    },
    "−",
  );
  const more = h(
    "button.round.small",
    {
      type: "button",
      testid: `add-neuron-${number}`,
      "aria-label": `More neurons in layer ${number}`,
      onclick: () => jump(at, 1),
    },
    "+",
  );
  const content = [strip(layer.size)];
  if (at === 0) {
    pictures = h("canvas.pictures", {
      role: "img",
      "aria-label":
        "Weights of the first neurons as pictures: blue for ink that speaks for, orange for ink that speaks against",
      testid: "weight-pictures",
    });
    pictures.dataset.side = String(side);
    content.push(
      pictures,
      h(
        "p.hint",
        {},
        `weights of ${layer.size > WIDEST ? `the first ${WIDEST}` : "all"} neurons as pictures: blue where ink speaks for the neuron, orange where against`,
      ),
    );
  }
  const made = row(number, `Layer ${number}`, h("div.stepper", {}, less, input, more), select, ...content);
  made.dataset.layer = String(number);
  return made;
}

/** Cells of a layer's activations; wide layers in several lines. @param {number} size */
function strip(size) {
  const across = size <= WIDEST ? size : WIDEST;
  const down = Math.ceil(size / across);
  const canvas = h("canvas.strip", {
    role: "img",
    "aria-label": `Activations of ${size} neurons`,
    width: across,
    height: down,
  });
  canvas.style.aspectRatio = `${across * 1.1} / ${Math.max(down, 1) * (across > 32 ? 1.4 : across > 16 ? 1 : 0.6)}`;
  strips.push({ canvas, size, across, down });
  return canvas;
}

/** @param {number} at @param {number} way to the next usual size */
function jump(at, way) {
  const now = lane().settings.hidden[at];
  const next = way > 0 ? SIZES.find((each) => each > now) : SIZES.findLast((each) => each < now);
  if (next) setAt("hidden", at, next);
}

/** @param {string} name @param {number} at @param {any} value */
function setAt(name, at, value) {
  const list = [...lane().settings[name]];
  list[at] = value;
  alter({ [name]: list });
}

/** @param {number} way */
function setLayers(way) {
  const { hidden, activations } = lane().settings;
  if (way < 0) alter({ hidden: hidden.slice(0, -1), activations: activations.slice(0, -1) });
  else alter({ hidden: [...hidden, hidden.at(-1) ?? 32], activations: [...activations, activations.at(-1) ?? "relu"] });
}

function refresh() {
  if (!store.digits) return;
  const { hidden, activations } = lane().settings;
  document.querySelectorAll(".digit-layer[data-layer]").forEach((each) => {
    const at = Number(/** @type {any} */ (each).dataset.layer) - 1;
    const [select, input] = [each.querySelector("select"), each.querySelector("input")];
    if (select && document.activeElement !== select) select.value = activations[at] ?? "";
    if (input && !input.dataset.edited) input.value = String(hidden[at] ?? "");
  });
}

// -- drawing

/** @param {Uint8Array | null} pixels */
function shown(pixels) {
  paintInk(sees, pixels ?? new Uint8Array(pad.side * pad.side), pad.side);
  if (!pixels) quiet();
}

/** Nothing is on the pad. */
function quiet() {
  for (const { row: element, bar, value } of bars) {
    element.classList.remove("best");
    bar.style.width = "0";
    say(value, "–");
  }
  say(verdict, "Draw with mouse or finger, or take one of the mistakes below.");
  for (const each of strips) blank(each);
}

/** @param {any} each */
function blank({ canvas, across, down }) {
  const { image, words } = sheet(across, down);
  words.fill(colours().ramp[0]);
  brush(canvas, across, down).putImageData(image, 0, 0);
}

/** @param {import("./frames.js").Frame} frame */
function draw(frame) {
  if (frame.maps) weights(frame.maps);
  const { activations } = frame;
  if (!activations || pad.empty) return;
  let start = 0;
  for (const { canvas, size, across, down } of strips) {
    if (start + size > activations.length) return;
    const { image, words } = sheet(across, down);
    const { ramp } = colours();
    let largest = 1e-6;
    for (let i = 0; i < size; i++) largest = Math.max(largest, Math.abs(activations[start + i]));
    for (let i = 0; i < across * down; i++)
      words[i] = i < size ? ramp[Math.round((activations[start + i] / largest) * 127) & 255] : 0;
    brush(canvas, across, down).putImageData(image, 0, 0);
    start += size;
  }
  probabilities(activations.subarray(activations.length - bars.length));
}

/** @param {Float32Array} values */
function probabilities(values) {
  let best = 0;
  for (let at = 1; at < values.length; at++) if (values[at] > values[best]) best = at;
  bars.forEach(({ row: element, bar, value }, at) => {
    element.classList.toggle("best", at === best);
    bar.style.width = `${Math.min(100, Math.max(0, values[at] * 100))}%`;
    say(value, percent(values[at]));
  });
  say(verdict, `This looks like a ${best}.`);
}

/** The first layer's weights, one picture beside the other. @param {Int8Array} maps */
function weights(maps) {
  const side = Number(pictures.dataset.side);
  if (!side || !pictures.isConnected) return;
  const many = Math.floor(maps.length / (side * side));
  const across = Math.min(ACROSS, many);
  const down = Math.ceil(many / across);
  const step = side + 1;
  const [width, height] = [across * step - 1, down * step - 1];
  const { image, words } = sheet(width, height);
  const { ramp } = colours();
  words.fill(0);
  for (let at = 0; at < many; at++) {
    const corner = Math.floor(at / across) * step * width + (at % across) * step;
    for (let i = 0; i < side; i++) {
      for (let j = 0; j < side; j++) words[corner + i * width + j] = ramp[maps[at * side * side + i * side + j] & 255];
    }
  }
  if (pictures.width !== width || pictures.height !== height) {
    pictures.width = width;
    pictures.height = height;
  }
  pictures.getContext("2d")?.putImageData(image, 0, 0);
}
