// The official openai package and curl, with nothing changed but the base URL.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import { chat, secret, spend, startGateway, startServer, stopAll, until } from './support.mjs';

const run = promisify(execFile);
const ids = ['one', 'two', 'three', 'four', 'five'];
const model = 'echo';
const limit = 250;
const access = 'open-sesame-0123456789';

let server, gateway, client;

before(async () => {
  server = await startServer(ids.length, '--limit', limit, '--window', '5s',
    '--window-kind', 'first-request', '--retry-after', 'ms');
  gateway = await startGateway(server.url, ids, { access_tokens: [access] });
  client = openai(gateway);
});
after(stopAll);

/** Without retries of its own: what is lost has to be seen. */
const openai = ({ url }) => new OpenAI({ baseURL: `${url}/v1`, apiKey: access, maxRetries: 0 });

async function plain(text) {
  const answer = await client.chat.completions.create(chat(text, { model }));
  return answer.choices[0].message.content;
}

async function streamed(text) {
  let whole = '';
  for await (const part of await client.chat.completions.create(chat(text, { model, stream: true }))) {
    whole += part.choices[0]?.delta?.content ?? '';
  }
  return whole;
}

const curl = (url, body) =>
  run(process.env.CURL ?? 'curl', ['-sS', '-N', '--fail', `${url}/v1/chat/completions`, '-H', `Authorization: Bearer ${access}`,
    '-H', 'Content-Type: application/json', '-d', JSON.stringify(body)]);

async function curled(text) {
  return JSON.parse((await curl(gateway.url, chat(text, { model }))).stdout).choices[0].message.content;
}

async function curledStream(text) {
  const { stdout } = await curl(gateway.url, chat(text, { model, stream: true }));
  const events = stdout.split('\n').filter((line) => line.startsWith('data: ')).map((line) => line.slice(6));
  assert.equal(events.pop(), '[DONE]');
  return events.map((event) => JSON.parse(event).choices[0]?.delta?.content ?? '').join('');
}

test('1,000 calls over 5 limited tokens, whole and streamed, are all answered, and each once', async () => {
  let next = 0;
  const ways = [plain, streamed];
  const worker = async () => {
    for (let call = next++; call < 1000; call = next++) {
      const text = `call number ${call}`;
      const ask = call % 50 === 0 ? curled : call % 50 === 1 ? curledStream : ways[call % 2];
      assert.equal(await ask(text), `echo: ${text}`);
    }
  };
  // Two tokens are spent past the gateway's back, so that it meets limits however slow the machine is.
  for (const number of [0, 1]) await spend(server, number, limit);
  const start = Date.now();
  await Promise.all(Array.from({ length: 16 }, worker));
  const { total } = await (await fetch(`${server.url}/_counts`)).json();
  console.log(`1,000 calls in ${Date.now() - start} ms; the server: ${JSON.stringify(total)}`);
  assert.equal(total.successes, 1000 + 2 * limit);
  assert.ok(total.refused >= 2);
});

test('models are listed, and what the caller did wrong comes back as the server said it', async () => {
  assert.equal((await client.models.list()).data.length, 1);
  const nonsense = (by) => by.chat.completions.create({ model, messages: 'none' }).catch((error) => error);
  const wrong = await nonsense(client);
  assert.equal(wrong.status, 400);
  const direct = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: secret(0), maxRetries: 0 });
  const same = await until('the server has room', async () => {
    const error = await nonsense(direct);
    return error.status !== 429 && error;
  });
  assert.equal(wrong.message, same.message);
});

test('without its access token the gateway lets nobody through', async () => {
  const stranger = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'wrong', maxRetries: 0 });
  await assert.rejects(stranger.models.list(), (error) => error.status === 401);
});

/** An upstream that streams words and counts those who listen; `serve(answer, say)` decides how it goes on. */
async function storyteller(serve) {
  const story = createServer(async (request, answer) => {
    for await (const ignored of request);
    answer.writeHead(200, { 'Content-Type': 'text/event-stream' });
    story.listeners += 1;
    answer.on('close', () => (story.listeners -= 1));
    serve(answer, (word) => answer.write(`data: ${JSON.stringify({ choices: [{ delta: { content: word } }] })}\n\n`));
  });
  story.listeners = 0;
  await new Promise((resolve) => story.listen(0, '127.0.0.1', resolve));
  const through = await startGateway(`http://127.0.0.1:${story.address().port}`, ids, { access_tokens: [access] });
  return {
    story,
    url: through.url,
    async stop() {
      await through.stop();
      story.closeAllConnections();
      story.close();
    },
  };
}

test('a stream that is cut upstream is seen as cut: an error, not an end', async () => {
  const teller = await storyteller((answer, say) => {
    say('once');
    say(' upon');
    setTimeout(() => answer.destroy(), 200);
  });
  let heard = '';
  await assert.rejects(async () => {
    for await (const part of await openai(teller).chat.completions.create(chat('a story', { model, stream: true }))) {
      heard += part.choices[0].delta.content;
    }
  });
  assert.equal(heard, 'once upon');
  await assert.rejects(curl(teller.url, chat('a story', { stream: true })), (error) => error.code === 18);  // partial file
  await teller.stop();
});

test('who hangs up ends the call upstream', async () => {
  const teller = await storyteller((answer, say) => {
    const timer = setInterval(() => say('on and on '), 50);
    answer.on('close', () => clearInterval(timer));
  });
  const stream = await openai(teller).chat.completions.create(chat('an endless story', { model, stream: true }));
  let words = 0;
  for await (const ignored of stream) {
    if (++words === 3) break;  // which closes the connection
  }
  const start = Date.now();
  await until('nobody listens upstream', () => teller.story.listeners === 0);
  console.log(`upstream ended ${Date.now() - start} ms after the client hung up`);
  await teller.stop();
});
