// Node's clients as peers of the comparison.   node_peer.mjs openai|undici BASE_URL
// The packages are found from the working folder. What is read from standard input is said in turns.hpp.

import { createRequire } from "node:module";
import readline from "node:readline";

const require = createRequire(process.cwd() + "/");
const [kind, baseURL] = process.argv.slice(2);
const chat = { model: "demo", messages: [{ role: "user", content: "Please tell me something about rate limits." }] };

function withOpenai() {
  const { OpenAI } = require("openai");
  const client = new OpenAI({ baseURL, apiKey: "sk-bench-1" });
  return () => client.chat.completions.create(chat);
}

function withUndici() {
  const { Pool } = require("undici");
  const { origin, pathname } = new URL(baseURL);
  const pool = new Pool(origin, { connections: 64 });
  const headers = { authorization: "Bearer sk-bench-1", "content-type": "application/json", accept: "application/json" };
  const body = JSON.stringify(chat);
  return async () => {
    const answer = await pool.request({ path: pathname + "/chat/completions", method: "POST", headers, body });
    if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
    await answer.body.text();
  };
}

const post = { openai: withOpenai, undici: withUndici }[kind]();

async function worker(count) {
  for (let i = 0; i < count; ++i) await post();
}

console.log("ready");
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [count, inFlight] = line.split(" ").map(Number);
  await Promise.all(Array.from({ length: inFlight }, () => worker(Math.floor(count / inFlight))));
  console.log("done");
}
process.exit(0);
