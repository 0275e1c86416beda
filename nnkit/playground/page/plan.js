/** The plan of one training step: time line, what it saves, every step and every decision. */

import { byId, calm, h, say } from "./dom.js";
import { count, duration, sentence } from "./format.js";
import { emit, on, show, store } from "./store.js";
import { decisionName, inWords, PHASES, rowsOf } from "./steps.js";
import { Timeline } from "./timeline.js";

const MEASURES = /** @type {[string, string, (value: number) => string][]} */ ([
  ["kernels", "Kernels", (value) => count(value)],
  ["flops", "Operations", (value) => count(value)],
  ["nbytes", "Bytes moved", (value) => count(value, "B")],
  ["arena_bytes", "Memory", (value) => count(value, "B")],
  ["seconds", "Predicted time", duration],
]);

/** @type {Record<string, string>} */
const SAVED = { flops: " FLOP", nbytes: " moved", arena_bytes: " memory" };

let lane = 0;
/** @type {any[]} */
let steps = [];
/** @type {number[]} */
let rows = [];
/** @type {any[]} rows of the table */
let lines = [];
let width = 0;
let chosen = -1;
const timeline = new Timeline((at) => look(at));
const parts = {
  heading: h("p.summary", { testid: "plan-heading" }),
  readout: h("p.readout", { testid: "plan-step" }),
  phases: h("ul.phases"),
  measures: h("dl.measures", { testid: "plan-measures" }),
  steps: h("table.steps", { testid: "plan-steps" }),
  decisions: h("ul.decisions", { testid: "plan-decisions" }),
  which: h("div.segments", { role: "group", "aria-label": "Plan of which network" }),
};

export function plan() {
  const tabs = h("div.segments", { role: "group", "aria-label": "Details of the plan" });
  for (const [decisions, name] of /** @type {[boolean, string][]} */ ([
    [false, "Steps"],
    [true, "Decisions"],
  ])) {
    tabs.append(
      h(
        "button",
        { type: "button", testid: `plan-tab-${name.toLowerCase()}`, onclick: () => show({ decisions }) },
        name,
      ),
    );
  }
  const stepsPart = h(
    "div.plan-scroll",
    { tabindex: "0", role: "region", "aria-label": "Steps of the plan" },
    parts.steps,
  );
  const host = h("div.timeline-box", {}, timeline.root);
  byId("plan").append(
    h("div.card-head", {}, h("h2", { id: "plan-title" }, "Plan of one training step"), parts.heading, parts.which),
    h(
      "p.caption",
      {},
      "nnkit traces the step, derives the back-propagation and plans it whole before it runs. Time goes to the right, layers go down: forward to the loss, back again, then the update.",
    ),
    parts.phases,
    host,
    parts.readout,
    parts.measures,
    h("div.plan-tabs", {}, tabs),
    stepsPart,
    parts.decisions,
  );
  new ResizeObserver(() => {
    if (Math.abs(host.clientWidth - width) < 2) return;
    width = host.clientWidth;
    redraw();
  }).observe(host);
  on("plan", (of) => of.number === lane && rebuild());
  on("state", (of) => of.number === lane && rebuild());
  on("race", () => {
    if (!store.race) lane = 0;
    which();
    rebuild();
  });
  on("look", (of, row) => of.number === lane && fromNetwork(row));
  on("ui", () => {
    const { decisions } = store.ui;
    [...tabs.children].forEach((button, at) => button.setAttribute("aria-pressed", String(decisions === Boolean(at))));
    stepsPart.hidden = decisions;
    parts.decisions.hidden = !decisions;
  });
  byId("plan-jump").addEventListener("click", () => {
    byId("plan").scrollIntoView({ block: "start", behavior: calm() ? "auto" : "smooth" });
    byId("plan").focus({ preventScroll: true });
  });
  which();
}

function which() {
  parts.which.hidden = !store.race;
  parts.which.replaceChildren(
    ...["A", "B"].map((name, at) =>
      h(
        "button",
        {
          type: "button",
          "aria-pressed": String(at === lane),
          onclick: () => {
            lane = at;
            which();
            rebuild();
          },
        },
        name,
      ),
    ),
  );
}

function rebuild() {
  const of = store.lanes[lane];
  const made = of?.plan;
  if (!made || !of.state) return;
  steps = made.steps;
  rows = rowsOf(steps, of.state);
  chosen = -1;
  say(parts.heading, `${count(made.total.kernels)} kernels, ${duration(made.total.seconds)} predicted`);
  parts.heading.title = made.heading ?? "";
  phases();
  measures(made);
  table(of);
  decisions(made.decisions ?? []);
  redraw();
  rest();
}

/** @param {import("./store.js").Lane} of */
function names(of) {
  const layers = of.state.layers.slice(1);
  const named = layers.map((_, at) => (at === layers.length - 1 ? "output" : `layer ${at + 1}`));
  return ["batch", ...named, "loss", "update"];
}

function redraw() {
  const of = store.lanes[lane];
  if (of?.state && steps.length && width) timeline.draw(steps, rows, names(of), width);
}

function phases() {
  const total = steps.reduce((sum, step) => sum + step.seconds, 0) || 1;
  parts.phases.replaceChildren(
    ...Object.entries(PHASES).flatMap(([phase, { name, what }]) => {
      const own = steps.filter((step) => step.phase === phase);
      if (!own.length) return [];
      const share = own.reduce((sum, step) => sum + step.seconds, 0) / total;
      return [
        h(
          "li",
          {},
          h(`i.phase-mark.${phase}`, { "aria-hidden": "true" }),
          h("b", {}, `${name} ${Math.round(share * 100)} %`),
          h("span", {}, what),
        ),
      ];
    }),
  );
}

/** @param {any} made */
function measures({ total, naive }) {
  parts.measures.replaceChildren(
    ...MEASURES.map(([key, name, form]) => {
      const [now, before] = [total[key], naive?.[key] ?? 0];
      const share = before ? now / before : 1;
      const bar = h("span.compare", { "aria-hidden": "true" }, h("i"));
      bar.firstChild.style.width = `${Math.max(2, Math.min(100, share * 100))}%`;
      const less = before ? Math.round((1 - share) * 100) : 0;
      return h(
        "div.measure",
        {},
        h("dt", {}, name),
        h(
          "dd",
          {},
          h("b", {}, form(now)),
          h("span.saved", {}, less > 0 ? `−${less} %` : less < 0 ? `+${-less} %` : ""),
          bar,
          h("small", {}, `naive: ${form(before)}`),
        ),
      );
    }),
  );
}

/** @param {import("./store.js").Lane} of */
function table(of) {
  const rowNames = names(of);
  const most = Math.max(...steps.map((step) => step.seconds), 1e-12);
  const head = h(
    "thead",
    {},
    h(
      "tr",
      {},
      ...["", "Layer", "What it does", "Kernel", "Result", "FLOP", "Bytes", "Time"].map((name) =>
        h("th", { scope: "col" }, name || h("span.unseen", {}, "Number")),
      ),
    ),
  );
  const bodies = [];
  let body = null;
  let phase = "";
  lines = [];
  for (const [at, step] of steps.entries()) {
    if (step.phase !== phase) {
      phase = step.phase;
      const about = /** @type {any} */ (PHASES)[phase];
      body = h(
        "tbody",
        {},
        h(
          "tr.phase-row",
          {},
          h(
            "th",
            { colspan: "8", scope: "rowgroup" },
            h(`i.phase-mark.${phase}`, { "aria-hidden": "true" }),
            about?.name ?? phase,
          ),
        ),
      );
      bodies.push(body);
    }
    const bar = h("span.cost", { "aria-hidden": "true" }, h(`i.${phase}`));
    bar.firstChild.style.width = `${Math.max(2, (step.seconds / most) * 100)}%`;
    const line = h(
      "tr",
      { onpointerenter: () => look(at), onpointerleave: () => look(null) },
      h("td.number", {}, String(step.number)),
      h("td", {}, rowNames[rows[at]]),
      h("td.words", {}, inWords(step)),
      h("td.kernel", { title: step.where ? `${step.what} (${step.where})` : step.what }, step.what),
      h("td.number", {}, step.shape),
      h("td.number", {}, count(step.flops)),
      h("td.number", {}, count(step.bytes)),
      h("td.time", {}, bar, duration(step.seconds)),
    );
    lines.push(line);
    body?.append(line);
  }
  parts.steps.replaceChildren(h("caption.unseen", {}, "Every kernel of one training step, in order"), head, ...bodies);
}

/** @param {any[]} made */
function decisions(made) {
  const weight = (/** @type {any} */ each) => Object.values(each.saved ?? {}).some((value) => value > 0);
  const item = (/** @type {any} */ each) => {
    const chips = MEASURES.filter(([key]) => each.saved?.[key] > 0).map(([key, , form]) =>
      h(
        "span.chip",
        {},
        key === "kernels" ? `−${each.saved[key]} kernels` : `−${form(each.saved[key])}${SAVED[key] ?? ""}`,
      ),
    );
    return h(
      `li${weight(each) ? "" : ".idle"}`,
      {},
      h("b", {}, decisionName(each.name)),
      h("div.chips", {}, ...chips),
      h("p", {}, sentence(each.meaning)),
      h("small", {}, sentence(each.remark)),
    );
  };
  parts.decisions.replaceChildren(...made.filter(weight).map(item), ...made.filter((each) => !weight(each)).map(item));
}

// -- looking

/** Says a step below the time line and marks its layer in the network. @param {number | null} at */
function look(at) {
  const next = at ?? -1;
  if (next === chosen) return;
  chosen = next;
  const of = store.lanes[lane];
  lines.forEach((line, i) => line.classList.toggle("lit", i === next));
  timeline.light((i) => i === next, next >= 0);
  if (next < 0) {
    emit("light", of, null);
    rest();
    return;
  }
  const step = steps[next];
  const last = of.state.layers.length - 1;
  emit("light", of, rows[next] <= last ? rows[next] : null);
  const words = inWords(step);
  parts.readout.replaceChildren(
    h(`i.phase-mark.${step.phase}`, { "aria-hidden": "true" }),
    h("b", {}, `${step.number}. ${words || step.what}`),
    h("code", {}, `${step.what} → ${step.shape}`),
    h("span", {}, `${count(step.flops, "FLOP")} · ${count(step.bytes, "B")} · ${duration(step.seconds)}`),
  );
}

function rest() {
  parts.readout.replaceChildren(
    h(
      "span",
      {},
      "Point at a step to see what it computes and which layer it belongs to; point at a layer to see its steps.",
    ),
  );
}

/** A layer of the network is looked at. @param {number | null} row */
function fromNetwork(row) {
  timeline.light((at) => rows[at] === row, row !== null);
  lines.forEach((line, at) => line.classList.toggle("lit", row !== null && rows[at] === row));
}
