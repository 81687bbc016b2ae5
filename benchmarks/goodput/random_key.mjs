// A program over a rate-limited server with Node's openai SDK as it comes, its two retries included, and a random
// key for each call.   random_key.mjs BASE_URL KEYS
// What comes in and goes out is said in goodput/compare.

import { createRequire } from "node:module";
import readline from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const { OpenAI } = createRequire(process.cwd() + "/")("openai");
const [baseURL, keys] = process.argv.slice(2);
const clients = keys.split(",").map((apiKey) => new OpenAI({ baseURL, apiKey }));
const chat = { model: "demo", messages: [{ role: "user", content: "Please tell me something about rate limits." }] };
const ends = { answered: [], lost: [] };
let next = 0;

// One caller: the next call at its time, or at once when that is past, until the end.
async function goOn(began, end, interval) {
  for (;;) {
    const wait = Math.min(began + interval * next++, end) - performance.now();
    if (wait > 0) await sleep(wait);
    const sent = performance.now();
    if (sent >= end) return;
    const client = clients[Math.floor(Math.random() * clients.length)];
    const kind = await client.chat.completions.create(chat).then(() => "answered", () => "lost");
    const now = performance.now();
    if (now < end) ends[kind].push(now - sent);
  }
}

console.log("ready");
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const [seconds, interval, callers] = (await lines.next()).value.split(" ").map(Number);
const began = performance.now();
for (let i = 0; i < callers; ++i) goOn(began, began + seconds * 1e3, interval);
await sleep(seconds * 1e3);
// Calls that still wait are no longer of interest.
process.stdout.write(JSON.stringify(ends) + "\n", () => process.exit(0));
