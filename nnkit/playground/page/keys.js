/** Space plays and pauses, → steps, where no control has the keys. */

import { store } from "./store.js";
import { reset, step, toggle } from "./transport.js";

export function keys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !store.connection?.open) return;
    const at = /** @type {any} */ (event.target);
    if (at.closest?.("input, select, textarea, [role=application], dialog, [popover]")) return;
    const control = at.closest?.("button, a, summary, [role=tab]");
    const act =
      event.key === " " && !control
        ? toggle
        : event.key === "ArrowRight" && !control
          ? step
          : event.key === "r" && !control
            ? reset
            : null;
    if (!act) return;
    event.preventDefault();
    if (!event.repeat || act === step) act();
  });
}
