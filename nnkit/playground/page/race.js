/** A second network beside the first, on the same data. */

import { byId, h } from "./dom.js";
import { learning } from "./controls.js";
import { NetworkView } from "./network.js";
import { notice } from "./notices.js";
import { emit, known, Lane, on, store, tellNotes } from "./store.js";

/** @type {NetworkView | null} */
let view = null;
/** @type {ReturnType<typeof learning> | null} */
let fields = null;

export function race() {
  byId("race").addEventListener("click", () => (store.race ? end() : begin({})));
  on("settings", (lane) => {
    if (lane.number === 1) fields?.set(lane.settings);
    if (lane.number === 1) view?.build();
  });
  on("state", (lane) => lane.number === 1 && view?.build());
  on("data", (lane) => lane.number === 1 && view?.build());
  on("frame", (lane) => lane.number === 1 && view?.draw(lane.frame));
  on("running", (lane) => lane.number === 1 && view?.redraw());
}

export const second = () => view;

/**
 * @param {Record<string, any>} settings what is other than in the first
 */
export async function begin(settings) {
  await known(store.lanes[0]);
  if (store.race) return;
  const lane = new Lane(1);
  lane.settings = { ...store.settings, ...settings };
  store.lanes.push(lane);
  try {
    const answer = await store.connection.ask({ do: "race", settings });
    if (store.lanes[1] !== lane) return; // it was ended meanwhile
    lane.settings = answer.settings;
    tellNotes(answer.notes);
  } catch (error) {
    if (store.lanes[1] !== lane) return;
    store.lanes.length = 1;
    notice(/** @type {Error} */ (error).message, "error");
    return;
  }
  open(lane);
  if (store.lanes[0].running) store.connection.ask({ do: "play", lane: 1 }).catch(() => {});
}

/** Builds what shows the second network. @param {Lane} lane */
function open(lane) {
  const host = byId("network-b");
  host.hidden = false;
  view = new NetworkView(lane, host);
  fields = learning(1, "b-");
  fields.fill();
  fields.set(lane.settings);
  const bar = h(
    "div.fields.race-fields",
    {},
    fields.optimizer.element,
    fields.rate.element,
    fields.momentum.element,
    fields.compile.element,
    fields.device.element,
  );
  host.insertBefore(bar, host.children[1]);
  byId("race").setAttribute("aria-pressed", "true");
  document.body.classList.add("racing");
  emit("race");
  if (lane.state) view.build();
  if (lane.frame) view.draw(lane.frame);
  emit("settings", store.lanes[0]);
}

export async function end() {
  if (!store.race) return;
  close();
  try {
    await store.connection.ask({ do: "race", settings: null });
  } catch (error) {
    notice(/** @type {Error} */ (error).message, "error");
  }
}

/** Takes it away from the page. */
export function close() {
  store.lanes.length = 1;
  view?.close();
  view = null;
  fields = null;
  byId("network-b").hidden = true;
  byId("race").setAttribute("aria-pressed", "false");
  document.body.classList.remove("racing");
  emit("race");
  emit("running", store.lanes[0]);
  emit("settings", store.lanes[0]);
}
