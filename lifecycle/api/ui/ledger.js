// The ledger beside the models: its newest records, and each new one as it is written.

import { get, records } from "./ask.js";
import { byId, clock, el } from "./dom.js";

const KEPT = 100;
const AGAIN_MS = 3000;
const QUIET = ["rollout", "revision", "digest"];

function detailOf({ reason, ...rest }) {
  const facts = Object.entries(rest)
    .filter(([name, value]) => !QUIET.includes(name) && ["string", "number"].includes(typeof value) && value)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${String(value).replace(/^(sha256:.{12}).+/, "$1…")}`);
  const words = [reason, facts.join(", ")].filter(Boolean).join(" · ");
  return words.length > 220 ? `${words.slice(0, 220)}…` : words;
}

function add(record, fresh) {
  const item = el("li", { class: fresh ? "fresh" : "" },
    el("span", { class: "what" }, record.kind), record.model ? ` ${record.model}` : "",
    el("span", { class: "quiet" }, ` by ${record.actor}, ${clock(record.at)}`),
    el("span", { class: "detail" }, detailOf(record.detail)));
  const list = byId("events");
  list.prepend(item);
  while (list.children.length > KEPT) list.lastElementChild.remove();
}

// Never returns. `changed` is called with every new record.
export async function follow(changed) {
  let last = null;
  for (;;) {
    try {
      if (last === null) {
        const newest = (await get("/v1/audit?limit=30")).records;
        newest.forEach((record) => add(record, false));
        last = newest.at(-1)?.seq ?? 0;
      }
      for await (const record of records(last, () => { byId("live").textContent = "live"; })) {
        last = record.seq;
        add(record, true);
        changed();
      }
    } catch { /* the page's own questions say what is wrong */ }
    byId("live").textContent = "reconnecting…";
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}
