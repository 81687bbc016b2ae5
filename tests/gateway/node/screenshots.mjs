// Takes the pictures of the documentation: screenshots.mjs FOLDER [SECONDS]. The server's limits, a dead token and a stopped
// gateway are real; only the traffic is made up.

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { call, launch, sleep, spend, startGateway, startServer, until } from './support.mjs';

const folder = process.argv[2];
const seconds = Number(process.argv[3] ?? 100);  // of traffic before the first picture
mkdirSync(folder, { recursive: true });

const ids = ['amber', 'birch', 'cedar', 'damson', 'elder'];
const limit = 120;
const server = await startServer(ids.length, '--limit', limit, '--window', '60s', '--window-kind', 'first-request',
  '--kill', '2:12', '--delay', '120ms', '--jitter', '300ms', '--fail-rate', '0.03');
const settings = {
  limits: [{ per: ['token'], amount: limit, window: '60s' }, { per: ['egress'], amount: 5000, window: '24h' }],
};
const gateway = await startGateway(server.url, ids, settings);
const browser = await launch();

async function take(name, options, before = () => {}) {
  const context = await browser.newContext({ viewport: { width: 1320, height: 900 }, reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  await page.goto(gateway.url);
  await page.waitForSelector('#tokens tr[data-state]');
  await before(page);
  const path = join(folder, `gateway-${name}.png`);
  await page.screenshot({ path });
  try {
    execFileSync('pngquant', ['--force', '--output', path, '--speed', '1', '128', path]);
  } catch {
    console.log(`${path} is larger than it has to be: pngquant is not installed`);
  }
  await context.close();
}

/** Calls in waves, for a chart that shows something. */
let busy = true;
const traffic = (async () => {
  for (let turn = 0; busy; ++turn) {
    call(gateway.url).catch(() => {});
    await sleep(220 + 180 * Math.sin(turn / 12));
  }
})();

await sleep(seconds * 1000);
await spend(server, 1, limit);  // so that the server refuses it
await sleep(4000);
await take('light', {});
await take('dark', { colorScheme: 'dark', viewport: { width: 1320, height: 1500 } });
await take('ejected', { viewport: { width: 1320, height: 640 } }, (page) => page.selectOption('#sort', 'state'));
await take('phone', { viewport: { width: 360, height: 900 }, deviceScaleFactor: 2 });

const watcher = await browser.newPage();
await watcher.goto(gateway.url);
const says = (pattern) => until(pattern, async () => pattern.test(await watcher.textContent('#status')), 60000);
await says(/4 of 5/);
for (const number of [0, 1, 3, 4]) await spend(server, number, limit);
await says(/back in/);
await take('resting', {});
await take('lost', {}, async (page) => {
  busy = false;
  await gateway.stop('SIGKILL');
  await page.locator('#lost').waitFor();
  await sleep(1500);
});

await traffic;
await browser.close();
await server.stop();
