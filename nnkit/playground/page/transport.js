/** Play, pause, step, reset, and where training is. */

import { byId, say } from "./dom.js";
import { loss, number, sentence } from "./format.js";
import { banner, notice } from "./notices.js";
import { askAll, on, store } from "./store.js";

const SPOKEN_MS = 5000;
let spoken = 0;
const ADVICE =
  "The network keeps its last sound weights. Try a smaller learning rate or another optimiser, then reset.";

export function toggle() {
  return askAll({ do: store.lanes.some((lane) => lane.running) ? "pause" : "play" });
}

export const step = () => askAll({ do: "step" });

export async function reset() {
  banner("end", null);
  await askAll({ do: "reset" });
}

export function transport() {
  byId("play").addEventListener("click", toggle);
  byId("step").addEventListener("click", step);
  byId("reset").addEventListener("click", reset);
  byId("end-reset").addEventListener("click", reset);
  on("running", (lane, event) => {
    const running = store.lanes.some((each) => each.running);
    const play = byId("play");
    play.classList.toggle("playing", running);
    play.setAttribute("aria-label", running ? "Pause" : "Play");
    play.title = running ? "Pause (space)" : "Play (space)";
    document.documentElement.classList.toggle("running", running);
    if (running) banner("end", null);
    if (event?.why) ended(lane, event);
  });
  on("frame", (lane) => lane.number === 0 && draw(lane.frame));
}

/** @param {import("./store.js").Lane} lane @param {{why: string, reason: string}} event */
function ended(lane, { why, reason }) {
  const who = store.race ? `Network ${lane.number ? "B" : "A"}: ` : "";
  const text = (reason ?? "").trim().replace(/([^.!?])$/, "$1.");
  if (why === "goal") notice(`${who}Goal reached. ${sentence(text)}`, "good");
  else if (why === "nan")
    banner("end", `${who}Training stopped: the loss is NaN (not a number) or infinite. ${ADVICE}`, text);
  else banner("end", `${who}Training stopped. ${text}`);
}

/** @param {import("./frames.js").Frame} frame */
function draw(frame) {
  const whole = Math.floor(frame.epoch + 1e-9);
  say(byId("epoch"), whole.toLocaleString("en"));
  say(byId("step-count"), `step ${Math.round(frame.step).toLocaleString("en")}`);
  say(byId("mini-loss"), loss(frame.testLoss));
  const now = performance.now();
  if (now - spoken < SPOKEN_MS) return;
  spoken = now;
  say(byId("spoken"), `Epoch ${whole}, test loss ${number(frame.testLoss)}`);
}
