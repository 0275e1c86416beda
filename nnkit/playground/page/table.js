/** Of a table: the column that is learned, and the two that the plane shows. */

import { byId } from "./dom.js";
import { choice } from "./fields.js";
import { change, on, store } from "./store.js";

export function tableColumns() {
  const target = choice("Target", "target", (value) => change({ target: value }));
  const offered = (/** @type {string[] | null} */ names) => (names ?? []).map((name) => ({ value: name, label: name }));
  byId("data-fields").prepend(target.element);
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
    const { columns, axes, targets } = lane.data;
    target.element.hidden = !targets?.length;
    target.offer?.(offered(targets ?? null));
    target.set(lane.data.target);
    host.hidden = !columns;
    fields.forEach((field, at) => {
      field.offer?.(offered(columns));
      field.set(axes?.[at] ?? "");
    });
  });
  on("settings", (lane) => {
    if (!lane.number && lane.settings.data === "table") target.set(lane.settings.target);
  });
}
