/** Binary messages, as docs/PLAYGROUND.md has them. Nothing is copied: sections are views of the message. */

const FRAME = 1;
const FILE = 2;
const HEAD = 64;
const LITTLE = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/**
 * @typedef {object} Frame
 * @property {"frame"} kind
 * @property {number} lane
 * @property {number} number
 * @property {number} step
 * @property {number} epoch
 * @property {number} trainLoss
 * @property {number} testLoss
 * @property {number} trainScore
 * @property {number} testScore
 * @property {number} speed
 * @property {Int8Array | null} output
 * @property {Uint8Array | null} likeliest
 * @property {Int8Array | null} maps
 * @property {Float32Array | null} parameters
 * @property {Float32Array | null} gradients
 * @property {Int8Array | null} large
 * @property {[number, number] | null} largeOf layer and number of its neuron
 * @property {Uint32Array | null} confusion
 * @property {Float32Array | null} activations
 * @property {Record<string, number> | null} figures
 */

/**
 * @typedef {object} File
 * @property {"file"} kind
 * @property {{re: number, name: string, type: string}} head
 * @property {Uint8Array} content
 */

/**
 * A binary message, read.
 * @param {ArrayBuffer} buffer
 * @returns {Frame | File | null}
 */
export function read(buffer) {
  const view = new DataView(buffer);
  const kind = view.getUint8(0);
  if (view.getUint16(2, true) !== 1) return null;
  if (kind === FILE) {
    const size = view.getUint32(4, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, size)));
    return { kind: "file", head, content: new Uint8Array(buffer, 8 + size) };
  }
  return kind === FRAME ? frame(buffer, view) : null;
}

/** @param {ArrayBuffer} buffer @param {DataView} view @returns {Frame} */
function frame(buffer, view) {
  /** @type {Frame} */
  const found = {
    kind: "frame",
    lane: view.getUint8(1),
    number: view.getUint32(4, true),
    step: view.getFloat64(8, true),
    epoch: view.getFloat64(16, true),
    trainLoss: view.getFloat64(24, true),
    testLoss: view.getFloat64(32, true),
    trainScore: view.getFloat64(40, true),
    testScore: view.getFloat64(48, true),
    speed: view.getFloat32(56, true),
    output: null,
    likeliest: null,
    maps: null,
    parameters: null,
    gradients: null,
    large: null,
    largeOf: null,
    confusion: null,
    activations: null,
    figures: null,
  };
  let at = HEAD;
  for (let left = view.getUint32(60, true); left > 0; left--) {
    const [kind, size] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    at += 8;
    if (kind === 1) found.output = new Int8Array(buffer, at, size);
    else if (kind === 2) found.likeliest = new Uint8Array(buffer, at, size);
    else if (kind === 3) found.maps = new Int8Array(buffer, at, size);
    else if (kind === 4) found.parameters = floats(buffer, at, size);
    else if (kind === 5) found.gradients = floats(buffer, at, size);
    else if (kind === 6) {
      found.largeOf = [view.getUint16(at, true), view.getUint16(at + 2, true)];
      found.large = new Int8Array(buffer, at + 4, size - 4);
    }
    else if (kind === 7) found.confusion = whole(buffer, at, size);
    else if (kind === 8) found.activations = floats(buffer, at, size);
    else if (kind === 9) found.figures = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, at, size)));
    at += size + ((4 - (size % 4)) % 4);
  }
  return found;
}

/** @param {ArrayBuffer} buffer @param {number} at @param {number} size */
const floats = (buffer, at, size) =>
  new Float32Array(LITTLE ? buffer : turned(buffer, at, size), LITTLE ? at : 0, size / 4);
/** @param {ArrayBuffer} buffer @param {number} at @param {number} size */
const whole = (buffer, at, size) =>
  new Uint32Array(LITTLE ? buffer : turned(buffer, at, size), LITTLE ? at : 0, size / 4);

/** Words with their bytes the other way round, for the rare machine that needs it. @param {ArrayBuffer} buffer @param {number} at @param {number} size */
function turned(buffer, at, size) {
  const view = new DataView(buffer, at, size);
  const words = new Uint32Array(size / 4);
  for (let i = 0; i < words.length; i++) words[i] = view.getUint32(4 * i, true);
  return words.buffer;
}

/**
 * An upload: its head, and the bytes of the file.
 * @param {object} head
 * @param {ArrayBuffer} content
 */
export function upload(head, content) {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const made = new Uint8Array(4 + text.length + content.byteLength);
  new DataView(made.buffer).setUint32(0, text.length, true);
  made.set(text, 4);
  made.set(new Uint8Array(content), 4 + text.length);
  return made;
}

/** Bytes of base64. @param {string} text */
export function bytes(text) {
  const raw = atob(text);
  const found = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) found[i] = raw.charCodeAt(i);
  return found;
}

/** Base64 of bytes. @param {Uint8Array} given */
export function base64(given) {
  let raw = "";
  for (let i = 0; i < given.length; i++) raw += String.fromCharCode(given[i]);
  return btoa(raw);
}
