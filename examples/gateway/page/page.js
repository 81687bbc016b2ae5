// The live page: what the gateway's stream says, shown; what a person asks, sent.

import { Board, clone, write } from './board.js';
import { Chart } from './chart.js';
import { act, Stream } from './stream.js';
import { clock, duration, number, plural, poolStatus } from './words.js';

const find = (id) => document.getElementById(id);
const key = 'tokenpool access token';
const mostNews = 100;

let pool;           // the last snapshot
let received = 0;   // when it came, by performance.now()
let known = 0;      // the same by the wall clock
let nextTry;        // when the connection is lost: the next attempt, by performance.now()
let due = false;

const access = () => sessionStorage.getItem(key);
const tokens = new Board(find('tokens'), change);
const accounts = new Board(find('accounts'));
const egresses = new Board(find('egresses'));
const chart = new Chart(find('chart'));

const stream = new Stream(access, {
  live() {
    nextTry = undefined;
    connection('live', 'Live');
  },
  lost(next) {
    nextTry = next;
    connection('lost', 'Reconnecting');
    tick();
  },
  denied() {
    find('sign-in-text').hidden = false;
    if (access()) write(find('sign-in-text'), 'The gateway does not know this access token. Try another one.');
    sessionStorage.removeItem(key);
    connection('denied', 'Signed out');
    find('access-token').focus();
  },
  event(name, value) {
    if (name === 'hello') hello(value);
    if (name === 'state') state(value.pool);
    if (name === 'tick') chart.add(value);
    if (name === 'news') addNews(value);
  },
});

function connection(name, words) {
  document.body.dataset.connection = name;
  write(find('connection'), words);
  find('main').hidden = name === 'denied' || !pool;
  find('main').classList.toggle('stale', name === 'lost');
  find('lost').hidden = name !== 'lost';
  find('sign-in').hidden = name !== 'denied';
  find('sign-out').hidden = name === 'denied' || !access();
  if (name === 'lost') {
    write(find('lost-text'), known ? `Connection lost, showing what was known at ${clock(known)}.` : 'The gateway does not answer.');
  }
}

function hello({ gateway, pool: snapshot, history, news }) {
  write(find('gateway'), `${gateway.policy} over ${gateway.base_url}, since ${clock(gateway.started_ms)}`);
  state(snapshot);
  chart.reset(history);
  find('news').querySelector('ol').replaceChildren();
  news.forEach(addNews);
  connection('live', 'Live');
}

/** Keeps what came and shows it with the next frame: a thousand tokens may change five times a second. */
function state(snapshot) {
  pool = snapshot;
  received = performance.now();
  known = Date.now();
  if (!due) requestAnimationFrame(show);
  due = true;
}

function show() {
  due = false;
  showParts();
  showTotals();
  tokens.show(pool.tokens, received);
  accounts.show(pool.accounts, received);
  egresses.show(pool.egresses, received);
  accounts.section.hidden = pool.accounts.length === 0;
  tick();
}

function tick() {
  if (nextTry !== undefined) {
    const left = nextTry - performance.now();
    write(find('lost-next'), left > 0 ? `Trying again in ${duration(left)}.` : 'Trying again.');
    return;  // what is shown stays as it was known
  }
  if (!pool) return;
  const { title, detail, lasting, level } = poolStatus(pool, performance.now() - received);
  write(find('status'), title);
  write(find('detail'), detail);
  write(find('spoken'), lasting);
  find('status').dataset.level = level;
  document.title = `${pool.pool.available}/${pool.tokens.length} available · tokenpool`;
  for (const board of [tokens, accounts, egresses]) board.tick(performance.now());
}

// The pool by states: a bar in their shares, and buttons that show the tokens of one state only.

const states = ['available', 'probing', 'resting', 'ejected', 'disabled', 'draining'];
const parts = new Map();
const choices = new Map();
let chosen = '';

for (const name of states) {
  parts.set(name, find('parts').appendChild(clone('state-part')));
  const choice = find('states').appendChild(clone('state-choice'));
  choice.querySelector('use').setAttribute('href', `#${name}`);
  choice.querySelector('span').textContent = name;
  choice.dataset.state = parts.get(name).dataset.state = name;
  choice.addEventListener('click', () => choose(chosen === name ? '' : name));
  choices.set(name, choice);
}

function choose(state) {
  chosen = state;
  for (const [name, choice] of choices) choice.setAttribute('aria-pressed', name === state);
  select();
}

function select() {
  const text = find('find').value.trim().toLowerCase();
  const has = (value) => value?.toLowerCase().includes(text);
  const wanted = (token) =>
    (!chosen || token.state === chosen) && (!text || has(token.id) || has(token.account) || has(token.cause));
  tokens.select(wanted, find('sort').value);
}

find('find').addEventListener('input', select);
find('sort').addEventListener('change', select);

function showParts() {
  const counts = new Map(states.map((name) => [name, 0]));
  for (const { state } of pool.tokens) counts.set(state, counts.get(state) + 1);
  for (const [name, count] of counts) {
    parts.get(name).style.flexGrow = count;
    parts.get(name).hidden = count === 0;
    write(choices.get(name).querySelector('b'), number(count));
    choices.get(name).hidden = count === 0 && chosen !== name;
  }
}

function showTotals() {
  const { requests, successes, rate_limited, failures, waiting } = pool.pool;
  const flying = pool.tokens.reduce((sum, token) => sum + token.in_flight, 0);
  const share = requests ? `${(100 * successes / requests).toFixed(1)} %` : '–';
  const values = [flying, waiting, requests, share, rate_limited, failures];
  find('totals').querySelectorAll('dd').forEach((node, index) => {
    write(node, typeof values[index] === 'number' ? number(values[index]) : values[index]);
  });
}

function addNews({ time_ms, kind, token, scope, text }) {
  const list = find('news').querySelector('ol');
  const entry = clone('event');
  const [time, word, rest] = entry.children;
  entry.dataset.kind = kind;
  time.textContent = clock(time_ms);
  time.dateTime = new Date(time_ms).toISOString();
  word.textContent = kind.replace('_', ' ');
  rest.textContent = [token || scope, text].filter(Boolean).join(': ');
  list.prepend(entry);
  if (list.children.length > mostNews) list.lastElementChild.remove();
}

// What a person does.

async function change(id, verb) {
  if (nextTry !== undefined) return say(`Not sent: the connection is lost.`);
  const done = { disable: 'disabled', enable: 'enabled' }[verb] ?? 'no longer resting';
  try {
    await act(access(), id, verb === 'disable' ? verb : 'enable');
    say(`${id} is ${done}.`);
  } catch (error) {
    say(`Could not ${verb} ${id}: ${error.message}`);
  }
}

let silent;
function say(text) {
  write(find('said'), text);
  clearTimeout(silent);
  silent = setTimeout(() => write(find('said'), ''), 6000);
}

find('try-now').addEventListener('click', () => stream.tryNow());

find('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(key, find('access-token').value.trim());
  find('sign-in').reset();
  stream.run();
});

find('sign-out').addEventListener('click', () => {
  stream.stop();
  sessionStorage.removeItem(key);
  pool = undefined;
  connection('denied', 'Signed out');
  find('access-token').focus();
});

setInterval(tick, 250);
stream.run();
