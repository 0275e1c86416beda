/** What the page knows, and the one way to change it: by asking the server. */

import { sentence } from "./format.js";
import { notice } from "./notices.js";

/** Settings that the two networks of a race have each for themselves. */
const OWN = ["hidden", "activations", "features", "optimizer", "rate", "momentum", "compile", "device", "output"];

/** One network: what the server last said of it. */
export class Lane {
  /** @param {number} number */
  constructor(number) {
    this.number = number;
    this.settings = /** @type {import("./types.js").Settings} */ (/** @type {unknown} */ (null));
    this.state = /** @type {import("./types.js").State} */ (/** @type {unknown} */ (null));
    this.data = /** @type {import("./types.js").Data} */ (/** @type {unknown} */ (null));
    this.plan = /** @type {import("./types.js").Plan} */ (/** @type {unknown} */ (null));
    this.frame = /** @type {import("./frames.js").Frame | null} */ (null);
    this.running = false;
    /** @type {[number, number, number][]} */
    this.curve = [];
    this.sending = false;
    /** Changes that the server was asked for and has not answered. @type {Record<string, any>} */
    this.underway = {};
    /** Changes that it is asked for next. @type {Record<string, any>} */
    this.waiting = {};
    /** @type {(() => void)[]} */
    this.done = [];
  }

  /** Takes the settings that the server says; changes that it does not know yet go on top. @param {any} settings */
  take(settings) {
    this.settings = { ...settings, ...this.underway, ...this.waiting };
  }

  /** A point of the curve for a frame; beyond 2000, every second one goes. */
  grow() {
    const frame = this.frame;
    if (!frame) return;
    const last = this.curve.at(-1);
    if (last && frame.epoch < last[0]) return;
    if (last && last[0] === frame.epoch) this.curve.pop();
    this.curve.push([frame.epoch, frame.trainLoss, frame.testLoss]);
    if (this.curve.length > 2000) this.curve = this.curve.filter((_, at) => at % 2 === 0 || at > 1980);
  }
}

export const store = {
  /** @type {import("./connection.js").Connection} */
  connection: /** @type {any} */ (null),
  choices: /** @type {any} */ (null),
  version: "",
  lanes: /** @type {Lane[]} */ ([new Lane(0)]),
  /** What a link wants of a table that is not there yet. @type {Record<string, any> | null} */
  ofTable: null,
  /** Drawn points: x, y, class or value. @type {number[][]} */
  drawn: [],
  ui: {
    test: false,
    discrete: false,
    gradients: false,
    log: false,
    drawing: false,
    decisions: false,
    /** @type {{lane: number, layer: number, number: number} | null} */
    hover: null,
  },
  get settings() {
    return this.lanes[0].settings ?? {};
  },
  get digits() {
    return this.settings.tab === "digits";
  },
  get race() {
    return this.lanes.length > 1;
  },
};

/** @type {Map<string, ((...given: any[]) => void)[]>} */
const listeners = new Map();

/** @param {string} event @param {(...given: any[]) => void} act */
export function on(event, act) {
  if (!listeners.has(event)) listeners.set(event, []);
  listeners.get(event)?.push(act);
}

/** @param {string} event @param {...any} given */
export function emit(event, ...given) {
  for (const act of listeners.get(event) ?? []) act(...given);
}

/** What the page calls settings whose names say something else. @type {Record<string, string>} */
const LABELS = {
  rate: "learning rate",
  hidden: "hidden layers",
  train: "share for training",
  strength: "rate of the regularisation",
  penalty: "regularisation",
  output: "output activation",
  goal: "goal of the stop",
  speed: "pace",
};

/** @param {string[] | undefined} notes */
export function tellNotes(notes) {
  for (const each of notes ?? []) {
    const note = each.replace(/^\w+(?= (?:is|has) )/, (name) => LABELS[name] ?? name);
    notice(sentence(note) + (/[.!?]$/.test(note) ? "" : "."));
  }
}

/**
 * Changes settings of a network. While one change is under way, those that follow are joined.
 * @param {Record<string, any>} settings
 * @param {number} [number] the network; what both share is changed for both
 */
export function change(settings, number = 0) {
  const shared = Object.fromEntries(Object.entries(settings).filter(([name]) => !OWN.includes(name)));
  const jobs = store.lanes.map((lane) => {
    const part = lane.number === number ? settings : shared;
    return Object.keys(part).length ? sent(lane, part) : null;
  });
  return Promise.all(jobs);
}

/** @param {Lane} lane @param {Record<string, any>} part @returns {Promise<void>} */
function sent(lane, part) {
  Object.assign(lane.waiting, part);
  lane.settings = { ...lane.settings, ...part };
  return new Promise((done) => {
    lane.done.push(done);
    if (!lane.sending) flush(lane);
  });
}

/** Once the server knows all that was changed in a network. @param {Lane} lane @returns {Promise<void>} */
export const known = (lane) => (lane.sending ? new Promise((done) => lane.done.push(done)) : Promise.resolve());

/** @param {Lane} lane */
async function flush(lane) {
  const [settings, done] = [lane.waiting, lane.done];
  [lane.underway, lane.waiting, lane.done] = [settings, {}, []];
  lane.sending = true;
  try {
    const answer = await store.connection.ask({ do: "set", lane: lane.number, settings });
    lane.underway = {};
    lane.take(answer.settings);
    tellNotes(answer.notes);
  } catch (error) {
    failed(error, lane);
  }
  lane.underway = {};
  lane.sending = false;
  emit("settings", lane);
  done.forEach((each) => each());
  if (lane.done.length) flush(lane);
}

/**
 * Asks for something in all networks; errors become notices.
 * @param {object} message
 */
export function askAll(message) {
  const ask = (/** @type {Lane} */ lane) => store.connection.ask({ ...message, lane: lane.number });
  return Promise.all(store.lanes.map((lane) => ask(lane).catch((error) => failed(error, lane))));
}

/** Says what went wrong, unless the network has been taken away. @param {any} error @param {Lane} lane */
function failed(error, lane) {
  if (store.lanes.includes(lane)) notice(error.message, "error");
}

/**
 * Changes what the page shows.
 * @param {Partial<typeof store.ui>} what
 */
export function show(what) {
  Object.assign(store.ui, what);
  emit("ui");
}
