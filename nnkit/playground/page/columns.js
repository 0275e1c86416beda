/** The columns of a network: features, hidden layers with their activation, outputs with their biases. */

import { h } from "./dom.js";
import { offer } from "./fields.js";
import { bytes } from "./frames.js";
import { paint } from "./maps.js";
import { store } from "./store.js";

/** @typedef {import("./network.js").NetworkView} NetworkView */

/** The features that there are, with their maps. @param {NetworkView} view */
export function featureColumn(view) {
  view.features.clear();
  const side = view.lane.state.maps;
  const list = h("div.neurons.features-list");
  for (const { name, label, map } of view.offered()) {
    const canvas = h("canvas", { "aria-hidden": "true", width: side, height: side });
    const values = new Int8Array(bytes(map).buffer);
    if (values.length === side * side) paint(canvas, values, side);
    const button = h(
      "button.feature",
      {
        type: "button",
        testid: `${view.prefix}feature-${name}`,
        "aria-label": `Feature ${label}`,
        onclick: () => view.toggleFeature(name),
        onpointerenter: () => view.enlarge(null, { name: label, values, side }),
        onpointerleave: () => view.enlarge(null, null),
        onfocus: () => view.enlarge(null, { name: label, values, side }),
        onblur: () => view.enlarge(null, null),
      },
      h("span.feature-name", {}, label),
      canvas,
    );
    view.features.set(name, { button, canvas, values });
    list.append(button);
  }
  return h(
    "div.column.features",
    { role: "group", "aria-label": view.title("Features") },
    h("div.column-head", {}, h("h3", {}, "Features"), h("p", {}, "its inputs")),
    list,
  );
}

/**
 * One layer of neurons.
 * @param {NetworkView} view
 * @param {number} layer from 1
 * @param {number} size
 * @param {string[] | null} names of the classes; null for a hidden layer
 */
export function layerColumn(view, layer, size, names) {
  const last = names !== null;
  const side = view.lane.state.maps;
  const list = h("div.neurons");
  view.neurons[layer] = [];
  for (let at = 0; at < size; at++) {
    const canvas = h("canvas", { "aria-hidden": "true", width: side, height: side });
    const bias = h("span.bias");
    const button = h(
      "button.neuron",
      {
        type: "button",
        tabindex: "-1",
        testid: `${view.prefix}neuron-${layer}-${at + 1}`,
        "aria-label": view.neuronName(layer, at),
        onpointerenter: (/** @type {PointerEvent} */ event) =>
          event.pointerType !== "touch" && view.enlarge([layer, at], null),
        onpointerleave: () => view.enlarge(null, null),
        onfocus: () => view.focused(layer, at),
        onblur: () => view.enlarge(null, null),
        onclick: () => view.opened(layer, at),
      },
      canvas,
      bias,
    );
    Object.assign(button, { canvas, bias });
    view.neurons[layer].push(button);
    if (!last) list.append(button);
    else list.append(outputRow(view, layer, at, names?.[at] ?? "", button));
  }
  const head = last ? outputHead(view) : hiddenHead(view, layer, size);
  const column = h(
    `div.column.${last ? "outputs" : "hidden-layer"}`,
    { role: "group", "aria-label": view.title(last ? "Output layer" : `Hidden layer ${layer}`) },
    head,
    list,
  );
  view.columns.push(column);
  return column;
}

/** @param {NetworkView} view @param {number} layer @param {number} at @param {string} name @param {any} button */
function outputRow(view, layer, at, name, button) {
  const input = h("input.bias-input", {
    type: "text",
    inputmode: "decimal",
    autocomplete: "off",
    testid: `${view.prefix}output-bias-${at + 1}`,
    "aria-label": `Bias of output ${name || ""}`.trim(),
    onchange: () => view.edit(view.lane.state.layers[layer].bias, [at], input.value, input),
  });
  button.biasInput = input;
  return h(
    "div.output-row",
    {},
    button,
    h(
      "div.output-more",
      {},
      name ? h("span.output-name", {}, name) : null,
      h("span.bias-label", { "aria-hidden": "true" }, "bias"),
      input,
    ),
  );
}

/** @param {NetworkView} view */
function outputHead(view) {
  view.output = h("select", {
    testid: `${view.prefix}output-activation`,
    "aria-label": "Output activation",
    onchange: () => view.alter({ output: view.output.value }),
  });
  offer(view.output, store.choices?.output ?? []);
  view.outputKind = h("p");
  return h("div.column-head", {}, h("h3", {}, "Output"), view.output, view.outputKind);
}

/** @param {NetworkView} view @param {number} layer @param {number} size */
function hiddenHead(view, layer, size) {
  const select = h("select", {
    testid: `${view.prefix}activation-${layer}`,
    "aria-label": `Activation of hidden layer ${layer}`,
    onchange: () => view.setActivation(layer, select.value),
  });
  offer(select, store.choices?.activations ?? []);
  const less = h(
    "button.round.small",
    {
      type: "button",
      testid: `${view.prefix}remove-neuron-${layer}`,
      "aria-label": `Remove a neuron from layer ${layer}`,
      onclick: () => view.setNeurons(layer, -1),
    },
    "−",
  );
  const more = h(
    "button.round.small",
    {
      type: "button",
      testid: `${view.prefix}add-neuron-${layer}`,
      "aria-label": `Add a neuron to layer ${layer}`,
      onclick: () => view.setNeurons(layer, 1),
    },
    "+",
  );
  less.disabled = size <= 1;
  more.disabled = size >= (store.choices?.limits?.neurons ?? 32);
  const head = h(
    "div.column-head",
    {},
    h("h3", {}, `Layer ${layer}`),
    select,
    h("div.stepper", {}, less, h("span.many", {}, String(size)), more),
  );
  Object.assign(head, { select });
  return head;
}
