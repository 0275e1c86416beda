/** Points that a person draws on the output: with mouse, finger, or arrow keys and Enter. */

import { ofPoint, onTheme } from "./colours.js";
import { byId, h, paced } from "./dom.js";
import { slider, tick } from "./fields.js";
import { notice } from "./notices.js";
import { firstPlot } from "./output.js";
import { change, emit, on, show, store, tellNotes } from "./store.js";

const MOST = 2000;
const NEAR = 0.45;
const APART = 0.22;
let label = 0;
let value = 1;
let erasing = false;
/** Where the keys are. */
const cross = { x: 0, y: 0, element: /** @type {any} */ (null) };
let last = [99, 99];

export function drawing() {
  on("draw", begin);
  const eraser = tick("Eraser", "eraser", (on) => {
    erasing = on;
    emit("ui");
  });
  const how = slider("Value", "draw-value", (now) => (value = now), {
    low: -1,
    high: 1,
    step: 0.1,
    form: (now) => now.toFixed(1).replace("-", "−"),
  });
  how.set(1);
  byId("draw-tools").append(
    h("div.classes", { id: "draw-classes", role: "radiogroup", "aria-label": "Class of the next points" }),
    how.element,
    eraser.element,
    h(
      "div.pair",
      {},
      h("button.plain", { type: "button", testid: "clear-points", onclick: clear }, "Clear"),
      h("button.plain", { type: "button", testid: "draw-done", onclick: () => show({ drawing: false }) }, "Done"),
    ),
    h("p.hint", {}, "Click or drag on the plane to add points; Alt or right click takes them away."),
  );
  on("settings", (lane) => {
    if (lane.number) return;
    how.element.hidden = store.settings.problem !== "regression";
    byId("draw-classes").hidden = store.settings.problem === "regression";
    if (label >= store.settings.classes) label = 0;
    picker();
  });
  on("data", (lane) => {
    if (lane.number || store.settings.data !== "drawn") return;
    if (dirty || sending || (!lane.data.points.x.length && store.drawn.length)) {
      local(); // what is on its way, or too few to learn from
      return;
    }
    const { x, y, label: labels } = lane.data.points;
    if (x.length)
      store.drawn = x.map((/** @type {any} */ each, /** @type {number} */ i) => [each, y[i], labels[i]]);
  });
  for (const event of ["ui", "race"]) on(event, tools); // a race brings other plots
  onTheme(() => {
    offered = 0;
    picker();
  });
}

/** What is there for drawing. */
function tools() {
  const open = store.ui.drawing;
  byId("draw-tools").hidden = !open;
  firstPlot()?.element.classList.toggle("drawing", open);
  firstPlot()?.element.classList.toggle("erasing", open && erasing);
  ready();
}

let sending = false;
/** Whether there are points that the server was not told yet. */
let dirty = false;

async function begin() {
  show({ drawing: true, test: true });
  const box = firstPlot().box.getBoundingClientRect();
  if (box.bottom > window.innerHeight || box.top < 0) firstPlot().box.scrollIntoView({ block: "center" });
  if (store.settings.data === "drawn") return;
  if (store.drawn.length) send();
  else await change({ data: "drawn" });
}

/** How many classes the picker has. */
let offered = 0;

function picker() {
  const many = store.settings.classes ?? 2;
  if (many === offered) {
    byId("draw-classes").querySelectorAll("input")[label].checked = true;
    return;
  }
  offered = many;
  byId("draw-classes")?.replaceChildren(
    ...Array.from({ length: many }, (_, at) => {
      const dot = h("i.swatch", { "aria-hidden": "true" });
      dot.style.backgroundColor = ofPoint(at, false, many);
      const radio = h("input", {
        type: "radio",
        name: "draw-class",
        value: String(at),
        testid: `draw-class-${at}`,
        onchange: () => (label = at),
      });
      radio.checked = at === label;
      return h("label.class-choice", {}, radio, dot, h("span", {}, String(at)));
    }),
  );
}

/** The plot's listeners, once for each plot. */
function ready() {
  const plot = firstPlot();
  if (!plot) return;
  const box = plot.box;
  box.tabIndex = store.ui.drawing ? 0 : -1;
  box.setAttribute("role", store.ui.drawing ? "application" : "presentation");
  if (store.ui.drawing)
    box.setAttribute(
      "aria-label",
      "Plane to draw points on: arrow keys move, Enter adds a point, Delete takes the nearest away",
    );
  else box.removeAttribute("aria-label");
  if (!store.ui.drawing) box.removeAttribute("tabindex");
  if (box.dataset.ready) return;
  box.dataset.ready = "true";
  let down = false;
  box.addEventListener("contextmenu", (/** @type {Event} */ event) => store.ui.drawing && event.preventDefault());
  box.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    if (!store.ui.drawing) return;
    down = true;
    last = [99, 99];
    box.setPointerCapture(event.pointerId);
    touch(event);
  });
  box.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    if (down) for (const each of event.getCoalescedEvents?.() ?? [event]) touch(each, event);
  });
  for (const name of ["pointerup", "pointercancel"]) box.addEventListener(name, () => (down = false));
  box.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => key(event, box));
  box.addEventListener("blur", () => cross.element?.remove());
}

/** @param {PointerEvent} event @param {PointerEvent} [whole] */
function touch(event, whole = event) {
  const plot = firstPlot();
  const box = plot.box.getBoundingClientRect();
  const [x0, x1] = plot.range(0);
  const [y0, y1] = plot.range(1);
  const x = x0 + ((event.clientX - box.left) / box.width) * (x1 - x0);
  const y = y1 - ((event.clientY - box.top) / box.height) * (y1 - y0);
  if (x < x0 || x > x1 || y < y0 || y > y1) return;
  if (erasing || whole.altKey || whole.buttons === 2 || whole.button === 2) erase(x, y);
  else if (Math.hypot(x - last[0], y - last[1]) > APART) {
    last = [x, y];
    add(x, y);
  }
}

/** @param {number} x @param {number} y */
function add(x, y) {
  if (store.drawn.length >= MOST) {
    notice(`There are ${MOST.toLocaleString("en")} points; more cannot be drawn.`);
    return;
  }
  const round = (/** @type {any} */ each) => Math.round(each * 200) / 200;
  store.drawn.push([round(x), round(y), store.settings.problem === "regression" ? value : label]);
  changed();
}

/** @param {number} x @param {number} y */
function erase(x, y) {
  const before = store.drawn.length;
  store.drawn = store.drawn.filter(([a, b]) => Math.hypot(a - x, b - y) > NEAR);
  if (store.drawn.length !== before) changed();
}

function clear() {
  store.drawn = [];
  changed();
}

/** Shows the points at once; the server follows. */
function changed() {
  dirty = true;
  local();
  later();
}

/** Shows what was drawn here. */
function local() {
  const { data } = store.lanes[0];
  if (!data) return;
  const test = data.points.test;
  data.points = {
    x: store.drawn.map(([x]) => x),
    y: store.drawn.map(([, y]) => y),
    label: store.drawn.map(([, , each]) => each),
    test: store.drawn.map((_, at) => Boolean(test[at])),
  };
  firstPlot().points();
}

const later = paced(180, () => dirty && send());

/** Leaves points untold that are not wanted any more: other data were chosen. */
export function forget() {
  dirty = false;
}

/** Tells what could not be told while there was no connection. */
export async function catchUp() {
  if (dirty) await send();
}

/** Tells the server the points; while it answers, what follows is joined. */
export async function send() {
  if (sending) {
    later();
    return;
  }
  sending = true;
  dirty = false;
  try {
    const answer = await store.connection.ask({ do: "points", points: store.drawn });
    if (answer.settings) store.lanes[0].take(answer.settings);
    tellNotes(answer.notes);
    emit("settings", store.lanes[0]);
  } catch (error) {
    dirty = true;
    notice(/** @type {Error} */ (error).message, "error");
  }
  sending = false;
}

/** @param {KeyboardEvent} event @param {any} box */
function key(event, box) {
  if (!store.ui.drawing) return;
  const step = event.shiftKey ? 1 : 0.25;
  const move = /** @type {any} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] })[
    event.key
  ];
  if (move) {
    cross.x = Math.max(-6, Math.min(6, cross.x + move[0] * step));
    cross.y = Math.max(-6, Math.min(6, cross.y + move[1] * step));
  } else if (event.key === "Enter") add(cross.x, cross.y);
  else if (event.key === "Delete" || event.key === "Backspace") erase(cross.x, cross.y);
  else return;
  event.preventDefault();
  event.stopPropagation();
  cross.element ??= h("span.cross", { "aria-hidden": "true" });
  if (cross.element.parentNode !== box) box.append(cross.element);
  const plot = firstPlot();
  const [x0, x1] = plot.range(0);
  const [y0, y1] = plot.range(1);
  cross.element.style.left = `${((cross.x - x0) / (x1 - x0)) * 100}%`;
  cross.element.style.top = `${((y1 - cross.y) / (y1 - y0)) * 100}%`;
}
