// Making pieces of the page. Whatever comes from the API goes in as text, never as markup.

export const TONES = {
  PASS: "good", FAIL: "bad", ERROR: "bad", INCONCLUSIVE: "warn",
  serving: "good", approved: "water", validated: "water", rejected: "bad",
  promoted: "good", rolled_back: "bad", aborted: "warn",
};

export const byId = (id) => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== "" && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined).map((child) =>
    child instanceof Node ? child : document.createTextNode(String(child))));
  return node;
}

// Make what is below `node` equal to `children`, and keep what is there already: where the reader has scrolled,
// what is selected and what has the focus outlive a refresh.
export function show(node, ...children) {
  const there = [...node.childNodes];
  children.forEach((child, index) => {
    const old = there[index];
    if (!old) node.append(child);
    else if (old.nodeName !== child.nodeName) old.replaceWith(child);
    else if (child.nodeType === Node.TEXT_NODE) { if (old.data !== child.data) old.data = child.data; } else become(old, child);
  });
  there.slice(children.length).forEach((old) => old.remove());
}

function become(old, wanted) {
  for (const { name } of [...old.attributes]) if (!wanted.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of wanted.attributes) {
    if (old.getAttribute(name) === value) continue;
    if (name === "style") old.style.cssText = value; // as an attribute, the page's own rules refuse it
    else old.setAttribute(name, value);
  }
  show(old, ...wanted.childNodes);
}

export const badge = (text) => el("span", { class: `badge ${TONES[text] ?? ""}` }, String(text).replaceAll("_", " "));
export const percent = (value) => `${Number(value.toFixed(2))} %`;
export const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString();

// A day and a time; the year where it is not this one.
export function moment(seconds) {
  const time = new Date(seconds * 1000);
  const year = time.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return time.toLocaleString([], { year, month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
}

export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

// `notes` are what is said below a row, over its whole width, where there is something to say.
export function table(headings, rows, label, notes = []) {
  const head = el("tr", {}, ...headings.map((heading) => el("th", { scope: "col" }, heading)));
  const body = rows.flatMap((row, index) => [
    el("tr", { class: notes[index] ? "noted" : "" }, ...row.map((cell) => el("td", {}, cell ?? "–"))),
    notes[index] ? el("tr", {}, el("td", { class: "note", colspan: headings.length }, notes[index])) : null,
  ].filter(Boolean));
  const whole = el("table", { "aria-label": label }, el("thead", {}, head), el("tbody", {}, ...body));
  return el("div", { class: "scroll" }, whole);
}
