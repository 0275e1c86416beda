/** When training is to end by itself. */

import { byId } from "./dom.js";
import { choice, typed } from "./fields.js";
import { change, on, store } from "./store.js";

export function goal() {
  const stop = choice("Stop", "stop", (value) => change({ stop: value }));
  const number = typed("at", "goal", (value) => change({ goal: value }), { ladder: true, low: 0 });
  byId("goal").append(stop.element, number.element);
  on("choices", () => stop.offer?.(store.choices.stop ?? []));
  on("settings", (lane) => {
    if (lane.number) return;
    stop.set(lane.settings.stop);
    number.set(lane.settings.goal);
    number.element.hidden = lane.settings.stop === "never";
  });
}
