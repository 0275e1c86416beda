/** The column of the data: which problem, how many points, how much noise, which seed. */

import { ofPoint, onTheme } from "./colours.js";
import { byId, fit, h, svg } from "./dom.js";
import { forget } from "./drawing.js";
import { choice, slider, typed } from "./fields.js";
import { change, emit, on, show, store } from "./store.js";

const SIZE = 54;
const PEN =
  "M4 20l1-4.500L16.500 4a2.100 2.100 0 0 1 3 0l.500.500a2.100 2.100 0 0 1 0 3L8.500 19 4 20ZM14.500 6l3.500 3.500";
const GRID = "M3.500 5h17v14h-17zM3.500 10h17M3.500 14.500h17M9.500 5v14";
/** @type {Map<string, any>} */
const buttons = new Map();

export function datasets() {
  const noise = slider("Noise", "noise", (value) => change({ noise: value }), {
    low: 0,
    high: 50,
    step: 5,
    form: (value) => `${value} %`,
  });
  const train = slider("Share for training", "train", (value) => change({ train: value }), {
    low: 10,
    high: 90,
    step: 10,
    form: (value) => `${value} %`,
  });
  const points = slider("Points", "points", (value) => change({ points: value }), {
    low: 50,
    high: 5000,
    step: 50,
    form: (value) => value.toLocaleString("en"),
  });
  const classes = slider("Classes", "classes", (value) => change({ classes: value }), { low: 2, high: 6 });
  const problem = choice("Problem", "problem", (value) => change({ problem: value }));
  const seed = typed("Seed", "seed", (value) => change({ seed: value }), { low: 0 });
  const again = h(
    "button.plain",
    {
      type: "button",
      testid: "regenerate",
      onclick: () => change({ seed: (Number(store.settings.seed) + 1) % 2 ** 32 }),
    },
    "Regenerate",
  );
  byId("data-fields").append(
    problem.element,
    classes.element,
    noise.element,
    train.element,
    points.element,
    h("div.pair", {}, seed.element, again),
  );
  on("choices", () => {
    thumbnails();
    problem.offer?.(store.choices.problem ?? []);
    const most = store.choices.classes?.high;
    classes.input.max = String(Math.min(6, most ?? 6));
  });
  on("settings", (lane) => {
    if (lane.number) return;
    const { settings } = lane;
    const made = !["drawn", "table"].includes(settings.data) && !store.digits;
    noise.set(settings.noise);
    train.set(settings.train);
    points.set(settings.points);
    classes.set(settings.classes);
    problem.set(settings.problem);
    seed.set(settings.seed);
    classes.element.hidden =
      store.digits ||
      !(store.choices.with_classes ?? ["circle", "gauss", "spiral", "drawn"]).includes(settings.data) ||
      (settings.data === "drawn" && settings.problem === "regression");
    problem.element.hidden = settings.data !== "drawn";
    noise.element.hidden = points.element.hidden = !made;
    train.element.hidden = store.digits;
    for (const [name, button] of buttons) button.setAttribute("aria-pressed", String(name === settings.data));
    byId("table-box").hidden = store.digits;
    const table = buttons.get("table");
    if (table) table.hidden = settings.data !== "table" && table.hidden;
  });
  onTheme(thumbnails);
  on("tab", thumbnails);
}

function thumbnails() {
  if (!store.choices) return;
  buttons.clear();
  const host = byId("data-sets");
  const parts = [];
  const labels = new Map(
    [...(store.choices.data ?? []), ...(store.choices.digits ?? [])].map(({ value, label }) => [value, label]),
  );
  if (store.digits) {
    const names = store.choices.digits ?? [];
    for (const { value, label } of names) parts.push(button(value, label, null));
  } else {
    for (const [name, thumbnail] of Object.entries(store.choices.thumbnails ?? {}))
      parts.push(button(name, labels.get(name) ?? name, thumbnail));
    parts.push(button("drawn", "draw points", null, PEN, () => emit("draw")));
    const table = button("table", labels.get("table") ?? "your table", null, GRID);
    table.hidden = store.settings.data !== "table";
    parts.push(table);
  }
  host.replaceChildren(...parts);
  host.classList.toggle("wide", store.digits);
  for (const [name, each] of buttons) each.setAttribute("aria-pressed", String(name === store.settings.data));
}

/**
 * @param {string} name
 * @param {string} label
 * @param {any} thumbnail
 * @param {string} [icon]
 * @param {() => void} [act]
 */
function button(name, label, thumbnail, icon, act) {
  const canvas = thumbnail ? h("canvas", { "aria-hidden": "true" }) : null;
  const made = h(
    "button.dataset",
    {
      type: "button",
      testid: `dataset-${name}`,
      title: label,
      onclick:
        act ??
        (() => {
          forget();
          show({ drawing: false });
          change({ data: name });
        }),
    },
    icon
      ? svg(
          "svg",
          { viewBox: "0 0 24 24", "aria-hidden": "true" },
          svg("path", {
            d: icon,
            fill: "none",
            stroke: "currentColor",
            "stroke-width": 1.7,
            "stroke-linejoin": "round",
            "stroke-linecap": "round",
          }),
        )
      : canvas,
    h("span", {}, label),
  );
  buttons.set(name, made);
  if (canvas) paint(canvas, thumbnail);
  return made;
}

/** @param {any} canvas @param {{x: number[], y: number[], label: number[]}} thumbnail */
function paint(canvas, { x, y, label }) {
  const brush = fit(canvas, SIZE, SIZE);
  const regression = label.some((each) => !Number.isInteger(each) || each < 0);
  const most = Math.max(2, ...label.map((each) => each + 1));
  x.forEach((each, i) => {
    brush.fillStyle = ofPoint(label[i], regression, regression ? 2 : most);
    brush.beginPath();
    brush.arc(((each + 6) / 12) * SIZE, ((6 - y[i]) / 12) * SIZE, 1.5, 0, 7);
    brush.fill();
  });
}
