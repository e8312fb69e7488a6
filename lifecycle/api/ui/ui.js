// The overview page: reads the admin API and draws it. Changes nothing.
// Everything from the API goes into the page as text, never as markup.

import { get, keep } from "./ask.js";
import { TONES, badge, byId, clock, duration, el, moment, percent, show, table } from "./dom.js";
import { follow } from "./ledger.js";

const POLL_MS = 1500;
const OPEN_AT_FIRST = 4;
const MODELS_SHOWN = 50;
const MODELS_FIRST = 20;
const MATTERS = { rollout: "rollout", accuracy: "answers got worse", estimate: "estimate got worse", drift: "drift" };

const cards = new Map();

function drawStatus(status) {
  const pill = byId("ready");
  pill.textContent = status.ready ? "ready" : "not ready";
  pill.className = `pill ${status.ready ? "good" : "warn"}`;
  const { version, generation, workers, uptime_s: uptime } = status;
  const facts = { version, generation, workers: workers.length, uptime: duration(uptime) };
  show(byId("facts"), ...Object.entries(facts).map(([name, value]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, value))));
  const names = (list) => list.map(({ model, version }) => `${model}/${version}`).join(", ");
  const mib = (bytes) => Math.round(bytes / 2 ** 20);
  const rows = status.workers.map((worker) => [
    el("span", { class: "whole" }, worker.worker), worker.generation,
    worker.failed.length ? el("span", {}, worker.loaded, " ", el("span", { class: "badge bad" }, `failed: ${names(worker.failed)}`))
      : worker.loaded,
    el("span", { class: "whole" }, `${mib(worker.held_bytes)} of ${mib(worker.budget_bytes)} MiB`),
  ]);
  show(byId("workers"), rows.length
    ? table(["worker", "generation", "loaded", "memory"], rows, "Workers")
    : el("p", { class: "empty" }, "No live workers."));
}

function roleOf(model, number) {
  if (model.champion === number) return "champion";
  if (model.weights[number] > 0) return "canary";
  if (model.shadows.includes(number)) return "shadow";
  return model.held.includes(number) ? "held" : null;
}

function drawSplit(model) {
  const shares = Object.entries(model.weights).map(([version, weight]) => ({ version: Number(version), weight }));
  const ordered = shares.sort((a, b) => (b.version === model.champion) - (a.version === model.champion) || a.version - b.version);
  if (!ordered.length) return el("p", { class: "empty" }, "no traffic yet");
  const words = ordered.map(({ version, weight }) => `version ${version} ${roleOf(model, version) ?? ""}: ${percent(weight)}`);
  const bar = el("div", { class: "split", role: "img", "aria-label": words.join(", ") }, ...ordered.map(({ version, weight }) => {
    const part = el("span", { class: `${roleOf(model, version) ?? ""} ${weight < 6 ? "thin" : ""}` }, weight < 6 ? "" : `v${version}  ${percent(weight)}`);
    part.style.flexGrow = weight;
    return part;
  }));
  const legend = el("div", { class: "legend" }, ...ordered.map(({ version, weight }) =>
    el("span", { class: roleOf(model, version) ?? "" }, `v${version} ${roleOf(model, version) ?? ""} ${percent(weight)}`)),
  ...model.shadows.map((version) => el("span", { class: "shadow" }, `v${version} shadow, gets copies`)));
  return el("div", {}, bar, ordered.length + model.shadows.length > 1 ? legend : null);
}

function drawSteps(rollout) {
  const names = ["load", ...rollout.plan.steps.map((step) => (step.shadow ? "shadow" : percent(step.weight))), "bake", "promoted"];
  const ends = { bake: names.length - 2, promoted: names.length };
  const at = ends[rollout.phase] ?? rollout.step + 1;
  return el("ol", { class: "steps", "aria-label": "Steps of the rollout" }, ...names.map((name, index) =>
    el("li", { class: index < at ? "past" : index === at ? "now" : "", "aria-current": index === at ? "step" : undefined }, name)));
}

function drawFinding(finding) {
  const progress = finding.numbers.progress;
  const tone = TONES[finding.verdict] ?? "";
  return el("div", { class: `row ${tone}`, role: "listitem" },
    el("span", {}, finding.name.replaceAll("_", " ")), badge(finding.verdict),
    progress === undefined || progress === null ? el("span", {})
      : el("progress", { max: 1, value: progress, class: tone, "aria-label": `${finding.name}: progress to its threshold` }),
    el("span", { class: "why" }, finding.reason));
}

function waitsForPerson({ active, paused, plan, phase, step, verdict }) {
  return active && !paused && plan.manual && phase === "step" && step === plan.steps.length - 1 && verdict === "PASS";
}

function drawRollout(rollout) {
  if (!rollout) return null;
  const step = rollout.phase === "bake" ? null : rollout.plan.steps[rollout.step];
  const spent = `${duration(Date.now() / 1000 - rollout.step_started_at)} in this step`;
  const needs = step ? `, at least ${duration(step.min_seconds)} and ${rollout.step_requests} of ${step.min_requests} requests` : "";
  return el("section", { "aria-label": "Rollout" },
    el("h3", {}, rollout.active ? "Rollout " : "Last rollout ", `of version ${rollout.version} `,
      badge(rollout.paused ? "paused" : rollout.phase), " ",
      rollout.active ? badge(rollout.verdict) : null, el("span", { class: "quiet" }, ` plan ${rollout.plan.name}`)),
    rollout.active ? drawSteps(rollout) : null,
    rollout.active && rollout.step_started_at ? el("p", { class: "quiet" }, spent, needs) : null,
    rollout.reason ? el("p", { class: "quiet" }, `Last move: ${rollout.reason}`) : null,
    rollout.frozen ? el("p", {}, `Waits: ${rollout.frozen}`) : null,
    waitsForPerson(rollout) ? el("p", {}, "Waits for a person: ", el("code", {}, `headrace rollout promote ${rollout.model}`)) : null,
    rollout.findings.length ? el("div", { class: "findings", role: "list" }, ...rollout.findings.map(drawFinding)) : null);
}

const few = (value) => value.toLocaleString([], { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });

function ratesOf(rates, number) {
  const own = rates.filter(({ version }) => version === number);
  const told = (one) => (own.length ? el("span", { class: "whole" }, ...own.map((each) => el("div", {}, ...[one(each)].flat()))) : null);
  const as = ({ role }) => (own.length > 1 ? el("span", { class: "quiet" }, ` as ${role}`) : null);
  return [
    told((each) => [few(each.requests_per_s), as(each)]),
    told((each) => `${few(100 * each.error_rate)} %`),
    told((each) => (each.p99_ms === null ? "–" : `${few(each.p50_ms)} / ${few(each.p99_ms)} ms`)),
  ];
}

function placed({ placed }) {
  if (!placed.length) return el("span", { class: "quiet" }, "not loaded");
  const took = ({ run_ms: ms }) => (ms === null ? "" : ` ${few(ms)} ms`);
  return el("span", { class: "whole" }, ...placed.map((way) => el("div", {}, `${way.placement}${took(way)}`)));
}

function failuresOf({ stage, evidence }) {
  const failed = stage === "rejected" ? evidence.filter(({ verdict }) => verdict === "FAIL") : [];
  return failed.map(({ name, reason }) => `${name.replaceAll("_", " ")}: ${reason}`).join("; ");
}

function drawVersions(model, versions, rates) {
  const newest = [...versions].reverse();
  const rows = newest.map((version) => [
    version.number, badge(version.stage), roleOf(model, version.number), placed(version), ...ratesOf(rates, version.number),
    el("span", { class: "whole" }, moment(version.created_at)), version.submitter, version.lineage.cause,
  ]);
  return el("section", {}, el("h3", {}, "Versions"),
    table(["version", "stage", "role", "runs", "requests/s", "errors", "p50 / p99", "registered", "by", "cause"], rows, `Versions of ${model.name}`, newest.map(failuresOf)));
}

function drawMetrics(metrics, name) {
  if (!metrics?.length) return null;
  const number = (value) => (value === null ? "–" : Number(value.toPrecision(4)));
  const rows = metrics.flatMap((metric) => metric.versions.map((of) =>
    [metric.name, of.version, of.rows, number(of.mean), `${number(of.low)} to ${number(of.high)}`]));
  return el("section", {}, el("h3", {}, "Business metrics"),
    table(["metric", "version", "numbers", "mean", "95 % interval"], rows, `Business metrics of ${name}`));
}

function drawGoodness(performance) {
  const measure = performance?.measure ?? performance?.estimates.at(-1)?.measure ?? "accuracy";
  const [title, heading] = measure === "accuracy" ? ["Accuracy of the champion", "accuracy"] : ["Error of the champion", "mean absolute error"];
  const own = performance?.versions.find((version) => version.version === performance.champion);
  const labelled = own?.cohorts.filter((cohort) => cohort[measure] !== null).at(-1);
  const estimate = performance?.estimates.at(-1);
  const told = (value) => (value === null ? null : measure === "accuracy" ? percent(100 * value) : Number(value.toPrecision(4)));
  const whole = (text) => el("span", { class: "whole" }, text);
  const row = (name, seen, rows, by) => seen && [name, whole(clock(seen.end)), rows, told(seen[measure]),
    seen.low === null ? null : whole(`${told(seen.low)} to ${told(seen.high)}`), by];
  const rows = [
    row("by labels", labelled, labelled?.labelled, "95 % interval"),
    row("estimated", estimate, estimate?.rows, estimate?.[measure] === null ? estimate.reason : "3 sampling errors"),
  ].filter(Boolean);
  return !rows.length ? null : el("section", {}, el("h3", {}, `${title} `,
    performance.fall || performance.estimate_fell_at ? badge(measure === "accuracy" ? "fell" : "rose") : null),
    table(["", "until", "rows", heading, "between", ""], rows, title));
}

function cardOf(model) {
  let card = cards.get(model.name);
  if (!card) {
    const summary = el("summary", {});
    const body = el("div", { class: "body" });
    const node = el("details", { class: "card" }, summary, body);
    node.open = cards.size < OPEN_AT_FIRST;
    node.addEventListener("toggle", () => refresh());
    card = { node, summary, body, drawn: "", detail: "" };
    cards.set(model.name, card);
  }
  return card;
}

function badgeOf({ matter, says }) {
  return el("span", { class: `badge ${matter === "rollout" ? "water" : "bad"}`, title: says }, MATTERS[matter]);
}

function drawAlarms(matters) {
  const alarms = matters.filter(({ matter }) => matter !== "rollout");
  return alarms.length ? el("div", {}, ...alarms.map((alarm) =>
    el("p", { class: "alarm" }, badgeOf(alarm), ` since ${moment(alarm.since)}: ${alarm.says}`))) : null;
}

async function drawModel(model, matters) {
  const card = cardOf(model);
  const head = JSON.stringify([model, matters]);
  if (card.drawn !== head) {
    card.drawn = head;
    const facts = `${model.versions} version${model.versions === 1 ? "" : "s"}, revision ${model.revision}`;
    show(card.summary, el("div", { class: "title" },
      el("span", { class: "name" }, model.name), ...matters.map(badgeOf), el("span", { class: "quiet" }, facts)), drawSplit(model));
  }
  if (!card.node.open) return;
  const base = `/v1/models/${encodeURIComponent(model.name)}`;
  const paths = ["versions", "rollouts?limit=1", "performance", "traffic"];
  const [versions, rollouts, performance, traffic] = await Promise.all(paths.map((path) => get(`${base}/${path}`)));
  const rollout = rollouts?.rollouts[0];
  const tick = rollout?.active ? Math.floor(Date.now() / 1000) : 0;
  const detail = JSON.stringify([head, versions, rollout, performance, traffic?.rates, tick]);
  if (card.detail !== detail && versions) {
    card.detail = detail;
    show(card.body, ...[
      drawAlarms(matters), drawRollout(rollout), drawGoodness(performance), drawMetrics(performance?.metrics, model.name),
      drawVersions(model, versions.versions, traffic?.rates ?? []),
    ].filter(Boolean));
  }
}

// The models that want a look come first, wherever their names would put them.
async function inOrder(models, matters) {
  const first = [...new Set(matters.map(({ model }) => model))].slice(0, MODELS_FIRST);
  const known = new Map(models.map((model) => [model.name, model]));
  const ahead = await Promise.all(first.map((name) => known.get(name) ?? get(`/v1/models/${encodeURIComponent(name)}`)));
  return [...ahead.filter(Boolean), ...models.filter(({ name }) => !first.includes(name))];
}

async function drawModels(models, matters) {
  const names = new Set(models.map((model) => model.name));
  for (const [name, card] of cards) if (!names.has(name)) { card.node.remove(); cards.delete(name); }
  const list = byId("model-list");
  models.forEach((model, index) => {
    const { node } = cardOf(model);
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
  byId("no-models").hidden = models.length > 0 || byId("search").value !== "";
  await Promise.all(models.map((model) => drawModel(model, matters.filter((each) => each.model === model.name))));
}

function tellProblem(error) {
  const pill = byId("ready");
  pill.textContent = error.status === 401 ? "locked" : "no answer";
  pill.className = "pill bad";
  const silent = error instanceof TypeError || error.name === "TimeoutError";
  byId("problem").textContent = silent ? "The admin API does not answer; what is below may be old. Trying again…" : error.message;
  byId("problem").hidden = false;
  byId("key").hidden = error.status !== 401;
}

let refreshing = false;

async function refresh() {
  if (refreshing || document.hidden) return;
  refreshing = true;
  try {
    const sought = byId("search").value;
    const asked = ["/v1/status", "/v1/attention", `/v1/models?limit=${MODELS_SHOWN}&search=${encodeURIComponent(sought)}`];
    const [status, { matters }, { models, total }] = await Promise.all(asked.map(get));
    drawStatus(status);
    byId("narrow").hidden = total <= MODELS_SHOWN && !sought;
    byId("others").textContent = total > models.length ? `${models.length} of ${total} models` : "";
    const shown = matters.filter(({ model }) => model.includes(sought));
    await drawModels(await inOrder(models, shown), shown);
    byId("problem").hidden = byId("key").hidden = true;
  } catch (error) {
    tellProblem(error);
  } finally {
    refreshing = false;
  }
}

document.addEventListener("visibilitychange", refresh);
byId("search").addEventListener("input", refresh);
byId("key").addEventListener("submit", (event) => {
  event.preventDefault();
  keep(byId("secret").value);
  byId("key").reset();
  refresh();
});
setInterval(refresh, POLL_MS);
refresh();
follow(refresh);
