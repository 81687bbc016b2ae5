// The programs under test, a browser, and waiting for what has to come true.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const { GATEWAY, QUOTA_SERVER, CHROMIUM } = process.env;

/** In each token's secret; no one may ever see it but the server. */
export const canary = 'canary7f3a';
export const secret = (number) => `sk-${canary}-${String(number).padStart(4, '0')}`;

/** For a loaded machine; what is fast is measured and printed. */
const patience = 20000;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks until the answer is truthy and returns that; `what` is the complaint if it never is. */
export async function until(what, ask, limit = patience) {
  const end = Date.now() + limit;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    assert.ok(Date.now() < end, `not within ${limit} ms: ${what}`);
    await sleep(20);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'tokenpool-gateway-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let files = 0;
export const file = (name) => join(folder, `${++files}-${name}`);

const running = new Set();

/** Ends what still runs: a test that failed left it behind. */
export const stopAll = () => Promise.all([...running].map((program) => program.stop()));

class Program {
  constructor(path, args) {
    running.add(this);
    this.output = '';
    this.process = spawn(path, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (text) => (this.output += text));
  }

  /** Its address, once it listens. */
  async start() {
    const line = await until('listening', () => {
      assert.equal(this.process.exitCode, null, `it ended: ${this.output}`);
      return this.output.match(/listening on (http:\/\/\S+)/);
    });
    this.url = line[1];
    this.port = Number(new URL(this.url).port);
    return this;
  }

  async stop(signal = 'SIGTERM') {
    running.delete(this);
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill(signal);
    await ended;
  }
}

/** A quota server, with `visits(number)`: what it logged of a token. */
export async function startServer(tokens, ...args) {
  const log = file('visits.log');
  const names = Array.from({ length: tokens }, (_, number) => secret(number)).join(',');
  const server = new Program(QUOTA_SERVER, ['--tokens', names, '--log', log, '--exit-with-parent', ...args]);
  await server.start();
  server.visits = (number) =>
    readFileSync(log, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line))
      .filter(({ token }) => token === secret(number).slice(-4))
      .map((visit) => ({ ...visit, at: Date.parse(visit.time) }));
  return server;
}

/** A gateway over `ids.length` tokens of the server at `base`; `settings` goes into its configuration. */
export async function startGateway(base, ids, settings = {}) {
  const configuration = file('gateway.json');
  const tokens = ids.map((id, number) => ({ id, secret: secret(number) }));
  writeFileSync(configuration, JSON.stringify({ base_url: base, tokens, ...settings }), { mode: 0o600 });
  return new Program(GATEWAY, ['--exit-with-parent', configuration]).start();
}

export const chat = (text, more = {}) => ({ messages: [{ role: 'user', content: text }], ...more });

/** Asks for one answer; its status. Without a model a token that is refused rests as a whole. */
export async function call(base, { token, model } = {}) {
  const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
  const body = JSON.stringify(chat('hello', { model }));
  const answer = await fetch(`${base}/v1/chat/completions`, { method: 'POST', headers, body });
  await answer.text();
  return answer.status;
}

/** Spends `count` of a token's requests at the server, past the gateway's back. */
export const spend = (server, number, count) =>
  Promise.all(Array.from({ length: count }, () => call(server.url, { token: secret(number) })));

/** What the live stream says first. */
export async function hello(base, token) {
  const answer = await fetch(`${base}/tokenpool/live`, { headers: token ? { Authorization: `Bearer ${token}` } : {} });
  let text = '';
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes('\n\n')) break;  // which ends the connection
  }
  return JSON.parse(text.match(/^event: hello\ndata: (.*)\n\n/)[1]);
}

/** Root may not use Chromium's sandbox. */
export const launch = () =>
  chromium.launch({ executablePath: CHROMIUM, args: process.getuid() === 0 ? ['--no-sandbox'] : [] });
