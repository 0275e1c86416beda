/** What it costs just now: steps, processor, memory, graphics, pictures. */

import { byId, say } from "./dom.js";
import { count } from "./format.js";
import { on, store } from "./store.js";

export function usage() {
  on("usage", (event) => {
    const lanes = event.lanes ?? [];
    const cpu = lanes.map((/** @type {any} */ lane) => `${Math.round(lane.cpu ?? 0)} %`).join(" + ") || "–";
    say(byId("use-cpu"), cpu);
    const memory = lanes.reduce((/** @type {number} */ sum, /** @type {any} */ lane) => sum + (lane.memory ?? 0), 0);
    say(byId("use-memory"), count(memory, "B"));
    say(byId("use-server"), event.server ? `${Math.round(event.server.cpu)} %` : "–");
    say(byId("use-cores"), event.cores ? `of ${event.cores} cores` : "");
    byId("use-gpu-part").hidden = !event.gpu;
    if (event.gpu) say(byId("use-gpu"), `${Math.round(event.gpu.use)} % · ${count(event.gpu.memory, "B")}`);
  });
  on("fps", (fps) => {
    say(byId("use-fps"), String(fps));
    say(
      byId("use-steps"),
      store.lanes.map((lane) => count(lane.running ? Math.round(lane.frame?.speed ?? 0) : 0)).join(" · "),
    );
  });
}
