// The live page in a browser, over the real gateway and a server that counts.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { call, canary, hello, launch, spend, startGateway, startServer, stopAll, until } from './support.mjs';

const markup = '<img src=x onerror=alert(1)>';
const ids = ['alpha', 'beta', 'gamma', markup];
const limit = 30;
const access = 'open-sesame-0123456789';

let browser, server, gateway, page;
const complaints = [];  // of the browser: what its console said, scripts that failed
const bodies = [];      // what came over the network

before(async () => {
  browser = await launch();
  server = await startServer(ids.length, '--limit', limit, '--window', '5s', '--window-kind', 'first-request',
    '--kill', '1:10');
  gateway = await startGateway(server.url, ids);
  page = await open(gateway.url);
  await watch(page);
});
after(async () => {
  await browser?.close();
  await stopAll();
});

async function open(url) {
  const context = await browser.newContext({ viewport: { width: 1320, height: 900 } });
  const page = await context.newPage();
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(error.stack));
  page.on('dialog', (dialog) => complaints.push(`a dialog: ${dialog.message()}`));
  page.on('response', async (answer) => {
    if (!answer.url().endsWith('/live')) bodies.push(await answer.text().catch(() => ''));
  });
  await page.goto(url);
  return page;
}

/**
 * Waits for the tokens, and has the page note in `seen` which state it showed of which token, when, and what else it said
 * then: a test that looks later may find that a rest is over.
 */
async function watch(page) {
  await page.waitForSelector('#tokens tr[data-state]');
  await page.evaluate(() => {
    window.seen = [];
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const id = target.querySelector('[data-is=id]').textContent;
        const status = document.querySelector('#status').textContent;
        window.seen.push({ id, state: target.dataset.state, at: Date.now(), text: target.textContent, status });
      }
    }).observe(document.querySelector('#tokens tbody'), { subtree: true, attributeFilter: ['data-state'] });
  });
}

const seen = (id, state, since = 0) =>
  until(`${id} is shown as ${state}`, () =>
    page.evaluate(([id, state, since]) =>
      window.seen.find((one) => one.id === id && one.state === state && one.at >= since), [id, state, since]));

const row = (id, on = page) => on.locator('#tokens tr[data-state]').filter({ has: on.getByText(id, { exact: true }) });
const press = (name, id, on = page) => on.getByRole('button', { name: `${name} ${id}`, exact: true }).click();
const says = (selector, pattern, on = page) =>
  until(`${selector} says ${pattern}`, async () => pattern.test(await on.textContent(selector)));

const shows = (id, state, on = page) =>
  until(`${id} is ${state}`, () =>
    on.evaluate(([id, state]) => [...document.querySelectorAll(`#tokens tr[data-state=${state}]`)].some((row) =>
      row.querySelector('[data-is=id]').textContent === id), [id, state]));

/** Calls through the gateway until the token meets a status, and returns that visit. */
function callUntil(number, status) {
  const before = server.visits(number).length;
  return until(`token ${number} meets ${status}`, async () => {
    assert.equal(await call(gateway.url), 200);
    return server.visits(number).slice(before).find((visit) => visit.status === status);
  });
}

function within(what, ms) {
  console.log(`${what}: ${ms} ms after the fact`);
  assert.ok(ms < 3000, `${what} took ${ms} ms`);  // promised is one second, on a machine that has time
}

test('a token that the server refuses is shown resting, then available, each within a second', async () => {
  await says('#status', /All 4 available/);
  await spend(server, 0, limit);
  const refused = await callUntil(0, 429);
  const resting = await seen('alpha', 'resting');
  within('resting', resting.at - refused.at);
  assert.match(resting.text, /back in \d+/);
  assert.match(resting.status, /3 of 4 available/);
  const { pool } = await hello(gateway.url);
  const end = Date.now() + (pool.tokens[0].rest_ms ?? 0);
  const available = await seen('alpha', 'available', resting.at);
  within('available', available.at - end);
});

test('a dead token is shown ejected within a second, and with its reason', async () => {
  const refused = await callUntil(1, 401);
  const ejected = await seen('beta', 'ejected');
  within('ejected', ejected.at - refused.at);
  assert.match(await row('beta').textContent(), /HTTP 401/);
  await says('#events', /ejected\s+beta/);
});

test('a token that is refused for one model is shown to rest for that', async () => {
  await spend(server, 0, limit);
  const before = server.visits(0).length;
  await until('alpha meets 429', async () => {
    assert.equal(await call(gateway.url, { model: 'large' }), 200);
    return server.visits(0).length > before;
  });
  await until('it is shown', async () => /not for large: back in/.test(await row('alpha').textContent()));
  await until('it is over', async () => !/not for/.test(await row('alpha').textContent()));
});

describe('the buttons', () => {
  test('Disable takes a token out of service, and Enable brings it back', async () => {
    await press('Disable', 'gamma');
    await shows('gamma', 'disabled');
    await says('#said', /gamma is disabled/);
    const before = server.visits(2).length;
    for (let calls = 0; calls < 6; ++calls) assert.equal(await call(gateway.url), 200);
    assert.equal(server.visits(2).length, before, 'a disabled token served');

    await press('Enable', 'gamma');
    await shows('gamma', 'available');
    await until('it serves', async () => (await call(gateway.url)) === 200 && server.visits(2).length > before);
  });

  test('End rest wants a second press, and ends the rest', async () => {
    await spend(server, 2, limit);
    await callUntil(2, 429);
    await shows('gamma', 'resting');
    await press('End rest', 'gamma');
    assert.equal(await row('gamma').getAttribute('data-state'), 'resting');
    await press('Confirm', 'gamma');
    await says('#said', /gamma is no longer resting/);
    await shows('gamma', 'available');
  });

  test('are reached and pressed by keyboard alone, with the focus in sight', async () => {
    const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label'));
    await page.evaluate(() => document.activeElement.blur());
    await until('Tab leads to alpha', async () => {
      await page.keyboard.press('Tab');
      return (await focused()) === 'Disable alpha';
    });
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none');
    await page.keyboard.press('Space');
    await shows('alpha', 'disabled');
    await until('the focus stays on the button', async () => (await focused()) === 'Enable alpha');
    await page.keyboard.press('Enter');
    await shows('alpha', 'available');
  });
});

test('an id that is markup is shown as text, and its buttons work', async () => {
  await press('Disable', markup);
  await shows(markup, 'disabled');
  await press('Enable', markup);
  await shows(markup, 'available');
  assert.equal(await page.locator('img').count(), 0);
});

/** The texts whose contrast against what lies behind them is under 4.5 (WCAG 2.2, 1.4.3), or 3 where they are large. */
const pale = () =>
  page.evaluate(() => {
    const parts = (color) => color.match(/[\d.]+/g).map(Number);
    const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const luminance = ([red, green, blue]) =>
      0.2126 * linear(red / 255) + 0.7152 * linear(green / 255) + 0.0722 * linear(blue / 255);
    const behind = (node) => {
      const color = parts(getComputedStyle(node).backgroundColor);
      return color[3] === 0 ? behind(node.parentElement) : color;
    };
    const contrast = (node) => {
      const pair = [luminance(parts(getComputedStyle(node).color)), luminance(behind(node))];
      return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    };
    const hasText = (node) => [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
    return [...document.querySelectorAll('body *')]
      .filter((node) => hasText(node) && node.checkVisibility())
      .filter((node) => contrast(node) < (parseFloat(getComputedStyle(node).fontSize) >= 24 ? 3 : 4.5))
      .map((node) => `${node.textContent.trim()}: ${contrast(node).toFixed(2)}`);
  });

for (const colorScheme of ['dark', 'light']) {
  test(`the page has enough contrast when it is ${colorScheme}`, async () => {
    await page.emulateMedia({ colorScheme });
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/)[0]);
    assert.equal(Number(ground) < 128, colorScheme === 'dark');
    assert.deepEqual(await pale(), []);
  });
}

test('360 pixels are wide enough: nothing lies beside, and a thumb meets the buttons', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  const box = await row('alpha').getByRole('button', { name: 'Disable' }).boundingBox();
  assert.ok(box.height >= 40 && box.x >= 0 && box.x + box.width <= 360, JSON.stringify(box));
  await press('Disable', 'alpha');
  await shows('alpha', 'disabled');
  await press('Enable', 'alpha');
  await shows('alpha', 'available');
  await page.setViewportSize({ width: 1320, height: 900 });
});

test('the chart tells its figures as text, and as a table', async () => {
  const label = () => page.getByRole('img', { name: /^Chart of/ }).getAttribute('aria-label');
  await until('the calls are in the chart', async () => /[1-9]\d*\srequests.* [1-9]\d*\s429/.test(await label()));
  await page.getByText('As a table').click();
  const row = page.locator('#chart tbody tr').first();
  await until('the minutes are there', async () => /^\d\d:\d\d:00\d{4,}$/.test(await row.textContent()));
});

/** The browser's own words about answers that a test asked for. */
const forgive = (expected) =>
  complaints.splice(0, complaints.length, ...complaints.filter((text) => !expected.test(text)));

test('with access tokens the page asks for one, keeps it in the tab and forgets it', async () => {
  const closed = await startGateway(server.url, ids, { access_tokens: [access] });
  const guest = await open(closed.url);
  const field = guest.getByLabel('Access token');
  await field.fill('wrong');
  await guest.keyboard.press('Enter');
  await guest.getByText('does not know this access token').waitFor();
  await field.fill(access);
  await guest.keyboard.press('Enter');
  await watch(guest);
  const kept = () => guest.evaluate(() => [sessionStorage.length, localStorage.length, document.cookie]);
  assert.deepEqual(await kept(), [1, 0, '']);
  await press('Disable', 'gamma', guest);
  await shows('gamma', 'disabled', guest);
  await guest.getByRole('button', { name: 'Sign out' }).click();
  await field.waitFor();
  assert.equal(await guest.locator('#tokens tr[data-state]').count(), 0);
  assert.deepEqual(await kept(), [0, 0, '']);
  await guest.context().close();
  await closed.stop();
  forgive(/401/);
});

test('a lost connection is said and the page dimmed, and both pass when the gateway is back', async () => {
  const lone = await startGateway(server.url, ids);
  const guest = await open(lone.url);
  await watch(guest);
  await lone.stop();
  const stopped = Date.now();
  await guest.getByText(/Connection lost, showing what was known at \d\d:\d\d:\d\d/).waitFor();
  console.log(`lost: said ${Date.now() - stopped} ms after the gateway's end`);
  assert.notEqual(await guest.evaluate(() => getComputedStyle(document.querySelector('main')).filter), 'none');
  await press('Disable', 'alpha', guest);
  await says('#said', /Not sent/, guest);

  const again = await startGateway(server.url, ids, { port: lone.port });
  const start = Date.now();
  await guest.locator('#lost').waitFor({ state: 'hidden' });
  console.log(`mended: ${Date.now() - start} ms after the gateway's return`);
  assert.equal(await guest.textContent('#connection'), 'Live');
  await shows('alpha', 'available', guest);
  await guest.context().close();
  await again.stop();
  forgive(/ERR_/);
});

test('with a thousand tokens the page writes what changed alone, sorts and finds', async () => {
  const many = await startServer(1000);
  const crowd = await startGateway(many.url, Array.from({ length: 1000 }, (_, number) => `token-${number}`));
  const guest = await open(crowd.url);
  await watch(guest);
  assert.equal(await guest.locator('#tokens tr[data-state]').count(), 1000);
  await guest.evaluate(() => {
    window.written = new Set();
    window.longest = 0;
    const changes = { subtree: true, childList: true, characterData: true, attributes: true };
    new MutationObserver((records) => {
      for (const { target } of records) window.written.add((target.closest ? target : target.parentElement).closest('tr'));
    }).observe(document.querySelector('#tokens tbody'), changes);
    requestAnimationFrame(function frame(now, last = now) {
      window.longest = Math.max(window.longest, now - last);
      requestAnimationFrame((next) => frame(next, now));
    });
  });
  const statuses = await Promise.all(Array.from({ length: 100 }, () => call(crowd.url)));
  assert.ok(statuses.every((status) => status === 200));
  await until('all are counted', async () => (await guest.locator('#totals dd').nth(2).textContent()) === '100');
  const { written, longest } = await guest.evaluate(() => ({ written: window.written.size, longest: window.longest }));
  console.log(`100 calls over 1,000 tokens: ${written} rows written, the longest frame took ${Math.round(longest)} ms`);
  assert.equal(written, 100);

  const first = () => guest.locator('#tokens tr[data-state] [data-is=id]').first().textContent();
  assert.equal(await first(), 'token-0');
  await guest.fill('#find', 'token-500');
  assert.equal(await guest.locator('#tokens tr[data-state]:visible').count(), 1);
  await press('Disable', 'token-500', guest);
  await shows('token-500', 'disabled', guest);
  await guest.fill('#find', '');
  await guest.selectOption('#sort', 'state');
  assert.equal(await first(), 'token-500');
  await guest.context().close();
  await crowd.stop();
  await many.stop();
});

test('no secret is in the page, in storage, on the network or in what the gateway printed', async () => {
  const stored = () => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie]);
  const live = JSON.stringify(await hello(gateway.url));
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  const all = [await page.content(), await page.evaluate(stored), live, metrics, gateway.output, ...bodies];
  assert.ok(bodies.length > 10 && live.length > 1000);
  assert.ok(all.every((text) => !text.includes(canary)));
});

test('the browser had nothing to complain of: no script failed, no rule for content was broken', () => {
  assert.deepEqual(complaints, []);
});
