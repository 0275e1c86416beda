/** Puts the page together: what arrives goes to the store, frames are drawn when the screen is ready for one. */

import { parse, repeated, written } from "./address.js";
import { onTheme } from "./colours.js";
import { Connection } from "./connection.js";
import { controls } from "./controls.js";
import { datasets } from "./datasets.js";
import { digits } from "./digits.js";
import { byId, paced, say } from "./dom.js";
import { catchUp, drawing, forget, send as sendPoints } from "./drawing.js";
import { files } from "./files.js";
import { sentence } from "./format.js";
import { goal } from "./goal.js";
import { keys } from "./keys.js";
import { NetworkView } from "./network.js";
import { banner, notice } from "./notices.js";
import { output } from "./output.js";
import { plan } from "./plan.js";
import { begin as beginRace, close as closeRace, end as endRace, race } from "./race.js";
import { change, emit, on, show, store, tellNotes } from "./store.js";
import { tableColumns } from "./table.js";
import { tabs } from "./tabs.js";
import { transport } from "./transport.js";
import { usage } from "./usage.js";

const root = document.documentElement;
const SHOWS = ["test", "discrete", "gradients", "log", "decisions"];
root.classList.toggle("still", new URLSearchParams(location.search).has("still"));
const small = window.matchMedia("(max-width: 720px)");
const fold = () => ["training-fold", "data-fold"].forEach((id) => (byId(id).open = !small.matches));
fold();
small.addEventListener("change", fold);

let link = parse(location.hash);
let first = true;

const network = new NetworkView(store.lanes[0], byId("network"));
for (const part of [
  tabs,
  controls,
  transport,
  datasets,
  tableColumns,
  output,
  drawing,
  plan,
  goal,
  usage,
  race,
  digits,
  files,
  keys,
])
  part();

for (const kind of ["weights", "gradients"])
  byId(`links-${kind}`).addEventListener("click", () => show({ gradients: kind === "gradients" }));
on("ui", () => {
  byId("links-weights").setAttribute("aria-pressed", String(!store.ui.gradients));
  byId("links-gradients").setAttribute("aria-pressed", String(store.ui.gradients));
});
on(
  "ui",
  paced(60, () => store.lanes.forEach((lane) => lane.frame && emit("redraw", lane))),
);
on("redraw", (lane) => lane.number === 0 && network.redraw());
on("problem", (text) => notice(text, "error"));
for (const event of ["settings", "state", "data"]) on(event, (lane) => lane.number === 0 && network.build());
on("frame", (lane) => lane.number === 0 && !store.digits && network.draw(lane.frame));
for (const event of ["tab", "data"]) on(event, () => network.card.close());
on("light", (lane, layer) => lane.number === 0 && network.light(layer));
onTheme(() => {
  network.built = "";
  network.build();
  store.lanes.forEach((lane) => lane.frame && emit("frame", lane));
});

// -- the address

applyShows(link.show);

const write = paced(300, () => {
  if (first || !store.choices) return;
  const defaults = store.choices.defaults ?? {};
  const usual = { ...(defaults[store.settings.tab] ?? defaults), tab: "plane" };
  const race = store.race ? store.lanes[1].settings : null;
  const points = store.settings.data === "drawn" ? store.drawn : null;
  const hash = written(store.settings, usual, {
    race,
    show: SHOWS.filter((name) => /** @type {any} */ (store.ui)[name]),
    points,
  });
  const next = `${location.pathname}${location.search}${hash ? `#${hash}` : ""}`;
  if (next !== `${location.pathname}${location.search}${location.hash}`) history.replaceState(null, "", next);
});
for (const event of ["settings", "ui", "race", "write"]) on(event, write);

document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault(); // the address is the state
  byId("network").focus();
  byId("network").scrollIntoView({ block: "start" });
});

/** @param {string[]} names */
function applyShows(names) {
  show(Object.fromEntries(SHOWS.map((name) => [name, names.includes(name)])));
}

window.addEventListener("hashchange", async () => {
  if (location.hash.length > 1 && !location.hash.includes("=")) return; // a place of the page
  link = parse(location.hash); // before what follows writes the address
  forget();
  if (store.race) await endRace();
  applyShows(link.show);
  const defaults = store.choices?.defaults ?? {};
  const usual = defaults[link.settings.tab ?? "plane"] ?? defaults;
  await change({ ...usual, activations: repeated(usual, link.settings.hidden ?? usual.hidden), ...link.settings });
  await finishLink();
});

/** What a link says besides settings. What it says of a table waits until that is there. */
async function finishLink() {
  const { data, target, features, axes } = link.settings;
  store.ofTable = data === "table" && store.settings.data !== data ? { target, features, axes } : null;
  if (link.points) {
    store.drawn = link.points;
    await sendPoints();
  }
  if (link.race && !store.digits) await beginRace(link.race);
  link = { settings: {}, race: null, show: [], points: null };
}

// -- the connection

store.connection = new Connection({
  greeting: () => ({ settings: first ? link.settings : store.settings }),
  greeted: async (answer) => {
    Object.assign(store, { choices: answer.choices ?? store.choices, version: answer.version ?? store.version });
    store.lanes[0].settings = answer.settings;
    say(byId("version"), `nnkit ${store.version}`);
    const again = !first;
    first = false;
    emit("choices");
    tellNotes(answer.notes);
    emit("settings", store.lanes[0]);
    if (!again) await finishLink();
    else if (!answer.resumed) await restore();
    else await resumed();
  },
  event: (event) => take(event),
  frame: (frame) => arrived(frame),
  refused: (why) => notice(`nnkit does not begin: ${why}`, "error"),
  status: (open) => {
    byId("live-dot").classList.toggle("open", open);
    say(byId("live-word"), open ? "connected" : "not connected");
    const lost = "The connection to nnkit is lost; trying again. If it was ended, start it: nnkit play.";
    banner("lost", open ? null : lost);
  },
});

/** After a connection that was lost: what the page wanted meanwhile. */
async function resumed() {
  await catchUp();
  if (!store.race) await store.connection.ask({ do: "race", settings: null }).catch(() => {});
}

/** After the server has forgotten the session: what the page still knows. */
async function restore() {
  if (store.settings.data === "drawn" && store.drawn.length) await sendPoints();
  if (store.race) {
    const settings = store.lanes[1].settings;
    closeRace();
    await beginRace(settings);
  }
  notice("nnkit had ended; the network begins anew with the same settings.");
}

/** @param {any} event */
function take(event) {
  if (event.event === "usage") {
    emit("usage", event);
    return;
  }
  const lane = store.lanes[event.lane ?? 0];
  if (!lane) return;
  if (event.event === "state") {
    const form = JSON.stringify(lane.state?.parameters);
    lane.state = event;
    lane.take(event.settings);
    lane.curve = (event.curve ?? []).map((/** @type {any} */ each) => [each[0], each[1] ?? NaN, each[2] ?? NaN]);
    if (form !== JSON.stringify(event.parameters)) lane.frame = null;
    if (lane.number === 0) root.dataset.tab = event.settings.tab;
    emit("state", lane);
    emit("settings", lane);
    setRunning(lane, Boolean(event.running), null);
  } else if (event.event === "data") {
    lane.data = event;
    emit("data", lane);
  } else if (event.event === "plan") {
    lane.plan = event;
    emit("plan", lane);
  } else if (event.event === "running") setRunning(lane, event.running, event);
  else if (event.event === "lost" || event.event === "note")
    notice(sentence(event.message), event.event === "lost" ? "error" : "info");
}

/** @param {import("./store.js").Lane} lane @param {boolean} running @param {any} event */
function setRunning(lane, running, event) {
  lane.running = running;
  emit("running", lane, event);
}

// -- frames

/** @type {Set<import("./store.js").Lane>} */
const fresh = new Set();
/** @type {[number, number][]} lane and number of frames to acknowledge */
let owed = [];
let scheduled = false;
let drawn = 0;
let total = 0;

/** @param {import("./frames.js").Frame} frame */
function arrived(frame) {
  const lane = store.lanes[frame.lane];
  owed.push([frame.lane, frame.number]);
  if (lane) {
    lane.frame = frame;
    lane.grow();
    fresh.add(lane);
  }
  if (document.hidden) acknowledge();
  else if (!scheduled) {
    scheduled = true;
    requestAnimationFrame(draw);
  }
}

function acknowledge() {
  for (const [lane, frame] of owed) store.connection.tell({ do: "seen", lane, frame });
  owed = [];
}

function draw() {
  scheduled = false;
  const began = performance.now();
  for (const lane of fresh) if (lane.frame) emit("frame", lane);
  emit("drawn");
  const shown = store.lanes[0].frame;
  if (fresh.has(store.lanes[0]) && shown) {
    drawn += 1;
    total += performance.now() - began;
    root.dataset.step = String(shown.step);
    root.dataset.frame = String(shown.number);
    if (store.lanes[0].state && store.lanes[0].data) root.dataset.ready = "true";
  }
  fresh.clear();
  acknowledge();
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && fresh.size && !scheduled) {
    scheduled = true;
    requestAnimationFrame(draw);
  }
});

window.setInterval(() => {
  root.dataset.fps = String(drawn);
  root.dataset.work = drawn ? (total / drawn).toFixed(2) : "0";
  emit("fps", drawn);
  [drawn, total] = [0, 0];
}, 1000);

window.addEventListener("pagehide", () => store.connection.tell({ do: "bye" }));
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
