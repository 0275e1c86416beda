/** The column of the output: plots, legend, what is shown, figures and curves. */

import { colours, ofPoint, onTheme } from "./colours.js";
import { byId, h, say } from "./dom.js";
import { Curves } from "./curves.js";
import { tick } from "./fields.js";
import { ending, Plot } from "./plot.js";
import { Confusion, Scores } from "./scores.js";
import { on, show, store } from "./store.js";

/** @type {Plot[]} */
let plots = [];
/** @type {Scores[]} */
let scores = [];
const curves = new Curves();
const confusion = new Confusion();

export function output() {
  const test = tick("Show test data", "show-test", (value) => show({ test: value }));
  const discrete = tick("Discretise output", "discretise", (value) => show({ discrete: value }));
  const log = tick("Log scale", "log-scale", (value) => show({ log: value }));
  byId("plot-shows").append(test.element, discrete.element);
  byId("curves").append(curves.element);
  byId("curves-head").append(log.element);
  byId("confusion").append(confusion.element);
  rebuild();
  on("race", rebuild);
  on("data", redata);
  on("frame", (lane) => draw(lane));
  on("drawn", () => curves.draw());
  on("ui", () => {
    test.set(store.ui.test);
    discrete.set(store.ui.discrete);
    log.set(store.ui.log);
    plots.forEach((plot) => plot.points());
    store.lanes.forEach((lane) => lane.frame && plots[lane.number]?.draw(lane.frame));
    curves.draw();
  });
  on("enlarge", (lane, large) => plots[lane.number]?.enlarge(large));
  onTheme(() => {
    plots.forEach((plot) => plot.points());
    legend();
    curves.draw();
  });
}

/** The plot that points are drawn on. */
export const firstPlot = () => plots[0];

function rebuild() {
  plots = store.lanes.map((lane) => new Plot(lane));
  scores = store.lanes.map((lane) => new Scores(lane));
  byId("plots").replaceChildren(...plots.map((plot) => plot.element));
  byId("scores").replaceChildren(...scores.map((each) => each.element));
  for (const lane of store.lanes) if (lane.frame) draw(lane);
  curves.draw();
  redata();
}

function redata() {
  plots.forEach((plot) => plot.points());
  legend();
  const data = store.lanes[0].data;
  if (data) say(byId("data-summary"), data.summary ?? "");
}

/** @param {import("./store.js").Lane} lane */
function draw(lane) {
  if (!lane.frame) return;
  if (!store.digits) plots[lane.number]?.draw(lane.frame);
  scores[lane.number]?.draw(lane.frame);
  if (lane.number === 0) confusion.draw(lane.frame);
}

/** Which colour is what. */
function legend() {
  const host = byId("legend");
  const data = store.lanes[0].data;
  if (!data || store.digits) return;
  const { low, middle, high } = colours();
  const css = (/** @type {number[]} */ c) => `rgb(${c.join(",")})`;
  if (data.kind === "regression" || data.classes.length <= 2) {
    const bar = h("span.legend-bar", { "aria-hidden": "true" });
    bar.style.background = `linear-gradient(to right, ${css(low)}, ${css(middle)}, ${css(high)})`;
    const names =
      data.kind === "regression"
        ? (data.values ?? [-1, 1]).map(ending)
        : data.classes.map((each) => (/^\d+$/.test(each) ? `class ${each}` : each));
    host.replaceChildren(h("span", {}, names[0] ?? ""), bar, h("span", {}, names[1] ?? ""));
    return;
  }
  host.replaceChildren(
    ...data.classes.map((name, at) => {
      const dot = h("i.swatch", { "aria-hidden": "true" });
      dot.style.backgroundColor = ofPoint(at, false, data.classes.length);
      return h("span.legend-class", {}, dot, /^\d+$/.test(name) ? `class ${name}` : name);
    }),
  );
}
