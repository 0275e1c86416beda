/** Numbers as people read them. */

/**
 * With three figures or so; a real minus sign.
 * @param {number | null | undefined} value
 * @param {number} [figures]
 */
export function number(value, figures = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text;
  if (size >= 1e6 || size < 1e-4) text = value.toExponential(Math.max(0, figures - 2)).replace("e+", "e");
  else if (size >= 10 ** (figures - 1)) text = Math.round(value).toLocaleString("en");
  else text = value.toFixed(Math.min(5, Math.max(0, figures - 1 - Math.floor(Math.log10(size)))));
  return text.replace("-", "−");
}

/**
 * A loss: three decimals, more where it is small.
 * @param {number | null | undefined} value
 */
export function loss(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return "∞";
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1);
  return value >= 1000 ? number(value) : value.toFixed(value >= 100 ? 1 : 3);
}

/**
 * With a prefix: 12.3 k.
 * @param {number} value
 * @param {string} unit
 */
export function count(value, unit = "") {
  if (!Number.isFinite(value)) return "–";
  let [size, at] = [Math.abs(value), 0];
  while (size >= 999.5 && at < 4) {
    size /= 1000;
    at += 1;
  }
  const digits = at === 0 ? (Number.isInteger(size) ? 0 : 1) : size < 10 ? 2 : size < 100 ? 1 : 0;
  const text = `${value < 0 ? "−" : ""}${size.toFixed(digits)}`;
  const mark = ["", "k", "M", "G", "T"][at] + unit;
  return mark ? `${text} ${mark}` : text;
}

/**
 * Seconds as microseconds and so on.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  const size = Math.abs(seconds);
  const [scale, unit] = size >= 1 ? [1, "s"] : size >= 1e-3 ? [1e3, "ms"] : [1e6, "µs"];
  const value = seconds * scale;
  return `${value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0).replace("-", "−")} ${unit}`;
}

/**
 * A share as percent.
 * @param {number} share
 */
export const percent = (share) => (Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : "–");

/**
 * A number in a field: short, and read again as the same kind of number.
 * @param {number} value
 */
export const plain = (value) => String(Number.isInteger(value) ? value : Number(value.toPrecision(7)));

const WORD = /^\p{Ll}(?=[\p{L}'’-]*(?:[,;:]|[.!?]?(?:\s|$)))/u;

/** With a capital, unless it begins with the name of a file or the like. @param {string | null | undefined} text */
export const sentence = (text) => (text ?? "").replace(WORD, (first) => first.toUpperCase());

/**
 * 1 neuron, 2 neurons.
 * @param {number} many
 * @param {string} one
 */
export const several = (many, one) => `${many.toLocaleString("en")} ${one}${many === 1 ? "" : "s"}`;
