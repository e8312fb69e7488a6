// The ledger beside the models: its newest records, and each new one as it is written.

import { get, records } from "./ask.js";
import { byId, clock, el, moment, show } from "./dom.js";

const KEPT = 100;
const AGAIN_MS = 3000;
const RECEIPTS = ["labels.received", "feedback.received"];
const MOMENTS = ["since", "until", "expires_at"];
const QUIET = ["rollout", "revision", "digest", "previous"];

function detailOf({ reason, ...rest }) {
  const facts = Object.entries(rest)
    .filter(([name, value]) => !QUIET.includes(name) && ["string", "number"].includes(typeof value) && value)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${MOMENTS.includes(name) ? moment(value) : String(value).replace(/^(sha256:.{12}).+/, "$1…")}`);
  const words = [reason, facts.join(", ")].filter(Boolean).join(" · ");
  return words.length > 220 ? `${words.slice(0, 220)}…` : words;
}

function say(record, times) {
  const again = times > 1 ? ` ${times} times,` : "";
  return [el("span", { class: "what" }, record.kind), record.model ? ` ${record.model}` : "",
    el("span", { class: "quiet" }, `${again} by ${record.actor}, `, el("span", { class: "whole" }, clock(record.at))),
    el("span", { class: "detail" }, detailOf(record.detail))];
}

// Receipts come by the hundred and would push the decisions out: those behind the last decision are one item a model and kind.
function receiptOf({ kind, model }) {
  if (!RECEIPTS.includes(kind)) return null;
  for (const item of byId("events").children) {
    if (!RECEIPTS.includes(item.dataset.kind)) return null;
    if (item.dataset.kind === kind && item.dataset.model === model) return item;
  }
  return null;
}

function add(record, fresh) {
  const list = byId("events");
  const standing = receiptOf(record);
  const times = 1 + Number(standing?.dataset.times ?? 0);
  const facts = { class: fresh ? "fresh" : "", "data-kind": record.kind, "data-model": record.model, "data-times": times };
  const item = el("li", facts, ...say(record, times));
  if (standing) {
    standing.dataset.times = times;
    show(standing, ...item.childNodes);
    return;
  }
  list.prepend(item);
  while (list.children.length > KEPT) list.lastElementChild.remove();
}

// Never returns. `changed` is called with every new record.
export async function follow(changed) {
  let last = null;
  for (;;) {
    try {
      if (last === null) {
        const newest = (await get(`/v1/audit?limit=${KEPT}`)).records;
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
