/** The tabs: points in the plane, or digits. Each remembers its settings. */

import { byId } from "./dom.js";
import { forget } from "./drawing.js";
import { end } from "./race.js";
import { askAll, change, emit, on, show, store } from "./store.js";

const NAMES = ["plane", "digits"];
/** @type {Record<string, any>} */
const kept = {};

export function tabs() {
  document.documentElement.dataset.tab = "plane";
  NAMES.forEach((name, at) => {
    const tab = byId(`tab-${name}`);
    tab.addEventListener("click", () => go(name));
    tab.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
      event.preventDefault();
      const other = NAMES[1 - at];
      byId(`tab-${other}`).focus();
      go(other);
    });
  });
  let now = "plane";
  on("settings", (lane) => {
    const { tab } = store.settings;
    if (lane.number || !tab) return;
    for (const name of NAMES) {
      byId(`tab-${name}`).setAttribute("aria-selected", String(name === tab));
      byId(`tab-${name}`).tabIndex = name === tab ? 0 : -1;
    }
    document.documentElement.dataset.tab = tab;
    if (tab !== now) {
      now = tab;
      emit("tab");
    }
  });
}

/** @param {string} name */
async function go(name) {
  const { settings } = store;
  if (settings.tab === name) return;
  const sure = store.lanes[0].state?.settings.tab === settings.tab; // else they are half the other's
  if (sure) kept[settings.tab] = settings;
  forget();
  show({ drawing: false });
  if (store.lanes.some((lane) => lane.running)) await askAll({ do: "pause" }); // it would train what comes
  if (store.race) await end();
  await change({ ...kept[name], tab: name });
}
