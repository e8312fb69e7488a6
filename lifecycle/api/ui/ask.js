// Reads the admin API, with the key of this browser tab if there is one. Changes nothing.

const BASE = { accept: "application/json" };
const PATIENCE_MS = 10_000;

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const keep = (key) => sessionStorage.setItem("key", key.trim());

async function ask(path, signal) {
  const key = sessionStorage.getItem("key");
  const answer = await fetch(path, { headers: key ? { ...BASE, authorization: `Bearer ${key}` } : BASE, signal });
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, body.error?.message ?? `The admin API answered ${answer.status}.`);
}

// The JSON at a path; null where there is none. A controller that hangs is as good as none.
export async function get(path) {
  try {
    return await (await ask(path, AbortSignal.timeout(PATIENCE_MS))).json();
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

// New ledger records behind number `after`, until the connection breaks. Not by EventSource: it sends no key.
export async function* records(after, opened) {
  const answer = await ask(`/v1/events?after=${after}`);
  opened();
  let left = "";
  for await (const text of pieces(answer.body.pipeThrough(new TextDecoderStream()))) {
    const lines = (left + text).split("\n");
    left = lines.pop();
    for (const line of lines) if (line.startsWith("data: ")) yield JSON.parse(line.slice(6));
  }
}

async function* pieces(stream) { // as not every browser can go through a stream itself
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
}
