/** Files out and in: exports, imports, dropped tables, and the link to this state. */

import { byId } from "./dom.js";
import { forget } from "./drawing.js";
import { notice } from "./notices.js";
import { end } from "./race.js";
import { change, emit, show, store, tellNotes } from "./store.js";

const KINDS = [".csv", ".h5", ".onnx", ".json"];

export function files() {
  const menu = byId("export-menu");
  for (const button of menu.querySelectorAll("[data-format]")) {
    button.addEventListener("click", () => {
      menu.open = false;
      take(/** @type {any} */ (button).dataset.format);
    });
  }
  document.addEventListener("click", (event) => menu.contains(event.target) || (menu.open = false));
  menu.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  byId("copy-link").addEventListener("click", () => {
    menu.open = false;
    copyLink();
  });
  const chooser = byId("import-file");
  for (const opener of document.querySelectorAll("[data-import]"))
    opener.addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    if (chooser.files[0]) bring(chooser.files[0]);
    chooser.value = "";
  });
  let inside = 0;
  const over = (/** @type {boolean} */ on) => document.body.classList.toggle("dropping", on);
  window.addEventListener("dragenter", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    inside += 1;
    over(true);
  });
  window.addEventListener("dragleave", () => over((inside = Math.max(0, inside - 1)) > 0));
  window.addEventListener("dragover", (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
  window.addEventListener("drop", (event) => {
    inside = 0;
    over(false);
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    bring(file);
  });
}

/** @param {string} format */
async function take(format) {
  try {
    const { head, content } = await store.connection.ask({ do: "export", format, lane: 0 });
    const address = URL.createObjectURL(new Blob([content], { type: head.type }));
    const link = document.createElement("a");
    link.href = address;
    link.download = head.name;
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(address), 10000);
    if (store.race) notice("The file has network A.", "good");
  } catch (error) {
    notice(/** @type {Error} */ (error).message, "error");
  }
}

/** @param {File} file */
async function bring(file) {
  const most = store.choices?.limits?.upload_bytes ?? 16_000_000;
  if (!KINDS.some((kind) => file.name.toLowerCase().endsWith(kind))) {
    notice(
      `“${file.name}” cannot be read here: a file must end in .csv (data), .h5 or .onnx (network), or .json (export).`,
      "error",
    );
    return;
  }
  if (file.size > most) {
    notice(
      `“${file.name}” has ${(file.size / 1e6).toFixed(1)} MB; at most ${Math.floor(most / 1e6)} MB can be sent.`,
      "error",
    );
    return;
  }
  forget();
  if (store.race && file.name.toLowerCase().endsWith(".json")) await end(); // it says all of one network
  try {
    const answer = await store.connection.send({ do: "import", name: file.name, lane: 0 }, await file.arrayBuffer());
    store.lanes[0].take(answer.settings);
    tellNotes(answer.notes);
    show({ drawing: false });
    emit("settings", store.lanes[0]);
    notice(`“${file.name}” was read.`, "good");
    const wanted = Object.entries(store.ofTable ?? {}).filter(([, value]) => value !== undefined);
    store.ofTable = null;
    if (file.name.toLowerCase().endsWith(".csv") && wanted.length) await change(Object.fromEntries(wanted));
  } catch (error) {
    notice(/** @type {Error} */ (error).message, "error");
  }
}

async function copyLink() {
  emit("write");
  try {
    await navigator.clipboard.writeText(location.href);
    const { settings } = store;
    const without = settings.data === "table" ? "weights and the table are" : "weights are";
    notice(`The link to these settings is copied; ${without} not in it: export JSON for them.`, "good");
  } catch {
    notice("The browser does not let the page copy. The link stands in the address bar.");
  }
}
