/** The state in the page's address: `#data=spiral&noise=10&hidden=8,8`, what is not usual only. */

const LISTS = ["features", "axes", "hidden", "activations"];
const TEXTS = ["axes", "features", "target"];
const LONGEST = 12000;
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const FINE = 200;
/** Names that are not settings: what the page shows, drawn points, and the second network. */
const SHOW = "show";
const POINTS = "drawn";
const RACE = "race.";

/**
 * @typedef {object} Link
 * @property {Record<string, any>} settings
 * @property {Record<string, any> | null} race
 * @property {string[]} show
 * @property {number[][] | null} points
 */

/**
 * What an address says. Nothing is checked: that is the server's part.
 * @param {string} hash
 * @returns {Link}
 */
export function parse(hash) {
  /** @type {Link} */
  const found = { settings: {}, race: null, show: [], points: null };
  for (const part of hash.replace(/^#/, "").split("&")) {
    if (!part) continue;
    const at = part.indexOf("=");
    const name = plain(at < 0 ? part : part.slice(0, at));
    const text = at < 0 ? "" : part.slice(at + 1);
    if (name === SHOW) found.show = text.split(",").filter(Boolean);
    else if (name === POINTS) found.points = unpacked(text);
    else if (name === "race") found.race ??= {};
    else if (name.startsWith(RACE)) (found.race ??= {})[name.slice(RACE.length)] = value(name.slice(RACE.length), text);
    else if (name !== "__proto__") found.settings[name] = value(name, text);
  }
  return found;
}

/** @param {string} name @param {string} text */
function value(name, text) {
  if (!LISTS.includes(name)) return one(name, text);
  return text === "" ? [] : text.split(",").map((each) => one(name, each));
}

/** @param {string} name @param {string} text */
function one(name, text) {
  const read = plain(text);
  return !TEXTS.includes(name) && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(read) ? Number(read) : read;
}

/** @param {string} text */
function plain(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The address of a state, without the "#".
 * @param {Record<string, any>} settings
 * @param {Record<string, any>} usual
 * @param {object} more
 * @param {Record<string, any> | null} [more.race] what is different in the second network
 * @param {string[]} [more.show]
 * @param {number[][] | null} [more.points]
 */
export function written(settings, usual, { race = null, show = [], points = null } = {}) {
  const parts = [];
  usual = { ...usual, activations: repeated(usual, settings.hidden) };
  for (const [name, what] of Object.entries(settings)) {
    const kind = name === "goal" && settings.stop !== usual.stop; // each kind has a goal of its own
    if (kind || !same(what, usual[name])) parts.push(`${name}=${text(what)}`);
  }
  if (race) {
    const own = Object.entries(race).filter(([name, what]) => !same(what, settings[name]));
    parts.push(...(own.length ? own.map(([name, what]) => `${RACE}${name}=${text(what)}`) : ["race=on"]));
  }
  if (show.length) parts.push(`${SHOW}=${show.join(",")}`);
  const short = parts.join("&");
  if (points?.length) {
    const packedPoints = packed(points);
    if (short.length + packedPoints.length + 8 <= LONGEST) return [...parts, `${POINTS}=${packedPoints}`].join("&");
  }
  return short;
}

/**
 * Activations of layers that are named without any.
 * @param {Record<string, any>} usual
 * @param {any} hidden
 */
export function repeated(usual, hidden) {
  return Array.isArray(hidden) ? hidden.map(() => usual.activations?.[0] ?? "tanh") : usual.activations;
}

/** @param {any} a @param {any} b */
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** @param {any} what @returns {string} */
function text(what) {
  if (Array.isArray(what)) return what.map((each) => text(each).replaceAll(",", "%2C")).join(",");
  return String(what).replace(/[%&=#+\s"<>`]/g, (mark) => encodeURIComponent(mark));
}

/**
 * Points in five characters each: two for a coordinate in 1/200, one for the class or value.
 * @param {number[][]} points
 */
function packed(points) {
  const pair = (/** @type {number} */ number) => {
    const whole = Math.min(4095, Math.max(0, Math.round(number * FINE) + 2048));
    return DIGITS[whole >> 6] + DIGITS[whole & 63];
  };
  const last = (/** @type {number} */ label) =>
    DIGITS[Number.isInteger(label) && label >= 0 && label < 16 ? label : 16 + Math.round((label + 1) * 23)];
  return points.map(([x, y, label]) => pair(x) + pair(y) + last(label)).join("");
}

/** @param {string} packedPoints */
function unpacked(packedPoints) {
  const found = [];
  for (let at = 0; at + 5 <= packedPoints.length; at += 5) {
    const digits = [...packedPoints.slice(at, at + 5)].map((mark) => DIGITS.indexOf(mark));
    if (digits.includes(-1)) continue;
    const [a, b, c, d, label] = digits;
    found.push([(a * 64 + b - 2048) / FINE, (c * 64 + d - 2048) / FINE, label < 16 ? label : (label - 16) / 23 - 1]);
  }
  return found;
}
