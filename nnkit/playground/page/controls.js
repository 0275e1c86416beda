/** The bar of training: how it learns. */

import { byId, h } from "./dom.js";
import { choice, typed } from "./fields.js";
import { change, on, store } from "./store.js";

const RATES = ["0.0001", "0.0003", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1", "3", "10"];

/** @typedef {import("./fields.js").Field} Field */

/**
 * The optimiser brings its usual learning rate.
 * @param {number} lane
 * @param {string} mark of its test ids
 * @returns {{optimizer: Field, rate: Field, momentum: Field, compile: Field, device: Field, fill: () => void, set: (settings: any) => void}}
 */
export function learning(lane, mark = "") {
  const optimizer = choice("Optimiser", `${mark}optimizer`, (value) => {
    const entry = store.choices.optimizer?.find((/** @type {any} */ each) => each.value === value);
    const usual = value === "sgd" ? 0.03 : entry?.rate;
    change({ optimizer: value, ...(usual ? { rate: usual } : {}) }, lane);
  });
  const rate = typed("Learning rate", `${mark}rate`, (value) => change({ rate: value }, lane), { ladder: true });
  rate.input.setAttribute("list", "rates");
  const momentum = typed("Momentum", `${mark}momentum`, (value) => change({ momentum: value }, lane), {
    step: 0.1,
    low: 0,
    high: 0.999,
  });
  const compile = choice("Compile", `${mark}compile`, (value) => change({ compile: value }, lane));
  const device = choice("Device", `${mark}device`, (value) => change({ device: value }, lane));
  const fill = () => {
    for (const [field, name] of /** @type {[Field, string][]} */ ([
      [optimizer, "optimizer"],
      [compile, "compile"],
      [device, "device"],
    ])) {
      field.offer?.(store.choices[name] ?? []);
    }
  };
  const set = (/** @type {any} */ settings) => {
    optimizer.set(settings.optimizer);
    rate.set(settings.rate);
    momentum.set(settings.momentum);
    compile.set(settings.compile);
    device.set(settings.device);
    const entry = store.choices?.optimizer?.find((/** @type {any} */ each) => each.value === settings.optimizer);
    momentum.element.hidden = !(entry?.momentum ?? ["sgd", "rmsprop"].includes(settings.optimizer));
  };
  return { optimizer, rate, momentum, compile, device, fill, set };
}

export function controls() {
  const own = learning(0);
  const loss = choice("Loss", "loss", (value) => change({ loss: value }));
  const penalty = choice("Regularisation", "penalty", (value) =>
    change({ penalty: value, ...(value !== "none" && !store.settings.strength ? { strength: 0.001 } : {}) }),
  );
  const strength = typed("Strength", "strength", (value) => change({ strength: value }), { ladder: true, low: 0 });
  const dropout = typed("Dropout", "dropout", (value) => change({ dropout: value }), { step: 0.1, low: 0, high: 0.9 });
  const batch = typed("Batch", "batch", (value) => change({ batch: value }), { step: 1, low: 1, high: 1024 });
  const speed = choice("Pace", "speed", (value) => change({ speed: value }));
  const wide = [speed, own.optimizer, loss];
  wide.forEach((field) => field.element.classList.add("wide"));
  [own.momentum, strength, dropout, batch].forEach((field) => field.element.classList.add("narrow"));
  byId("training-fields").append(
    ...[
      speed,
      own.optimizer,
      own.rate,
      own.momentum,
      batch,
      loss,
      penalty,
      strength,
      dropout,
      own.compile,
      own.device,
    ].map(({ element }) => element),
    h("datalist", { id: "rates" }, ...RATES.map((value) => h("option", { value }))),
  );
  on("choices", () => {
    own.fill();
    loss.offer?.(store.choices.loss ?? []);
    penalty.offer?.(store.choices.penalty ?? []);
    speed.offer?.(store.choices.speed ?? []);
  });
  on("settings", (lane) => {
    if (lane.number) return;
    const { settings } = lane;
    own.set(settings);
    loss.set(settings.loss);
    penalty.set(settings.penalty);
    strength.set(settings.strength);
    strength.element.hidden = settings.penalty === "none";
    dropout.set(settings.dropout);
    batch.set(settings.batch);
    speed.set(settings.speed);
  });
}
