/** Of a table: the two columns that the plane shows. */

import { byId } from "./dom.js";
import { choice } from "./fields.js";
import { change, on, store } from "./store.js";

export function tableAxes() {
  const host = byId("table-axes");
  const fields = ["Across", "Upright"].map((label, at) =>
    choice(label, `axis-${at + 1}`, (value) => {
      const axes = [...(store.lanes[0].data?.axes ?? [])];
      if (axes[1 - at] === value) axes[1 - at] = axes[at];
      axes[at] = value;
      change({ axes });
    }),
  );
  host.append(...fields.map(({ element }) => element));
  on("data", (lane) => {
    if (lane.number) return;
    const columns = lane.data.columns;
    host.hidden = !columns;
    fields.forEach((field, at) => {
      field.offer?.((columns ?? []).map((/** @type {string} */ name) => ({ value: name, label: name })));
      field.set(lane.data.axes?.[at] ?? "");
    });
  });
}
