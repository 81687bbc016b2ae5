// The live page: what the gateway's stream says, shown; what a person asks, sent.

import { Board } from './board.js';
import { Chart } from './chart.js';
import { clone, find, set, write } from './dom.js';
import { act, Stream } from './stream.js';
import { clock, duration, number, plain, poolWords } from './words.js';

const key = 'tokenpool access token';
const states = ['available', 'probing', 'resting', 'ejected', 'disabled', 'draining'];
const mostNews = 100;
const access = () => sessionStorage.getItem(key);

let pool;         // the last snapshot
let at;           // when it came, by performance.now()
let drawing = false;
let nextTry;      // while the connection is lost: when the next attempt is due, by performance.now()
let chosen;       // the state whose tokens alone are shown

const tokens = new Board(find('tokens'), change);
const accounts = new Board(find('accounts'));
const egresses = new Board(find('egresses'));
const boards = [tokens, accounts, egresses];
const chart = new Chart(find('chart'));

const stream = new Stream(access, {
  hello({ gateway, pool, history, news }) {
    nextTry = undefined;
    connection('live', 'Live');
    write(find('gateway'), `${gateway.policy} over ${gateway.base_url}, since ${clock(gateway.started_ms)}`);
    find('events').replaceChildren();
    news.forEach(addNews);
    chart.reset(history);
    this.state({ pool });
  },
  /** Kept, and shown with the next frame: a thousand tokens may change five times a second. */
  state(value) {
    pool = value.pool;
    at = performance.now();
    if (!drawing) requestAnimationFrame(draw);
    drawing = true;
  },
  tick: (second) => chart.add(second),
  news: addNews,
  lost(next) {
    nextTry = next;
    const known = at === undefined ? undefined : clock(performance.timeOrigin + at);
    write(find('lost-text'), known ? `Connection lost, showing what was known at ${known}.` : 'The gateway does not answer.');
    connection('lost', 'Reconnecting');
    tick();
  },
  denied: askForAccess,
});

function connection(name, words) {
  document.body.dataset.connection = name;
  write(find('connection'), words);
  find('main').hidden = name === 'denied' || (name === 'lost' && !pool);
  find('lost').hidden = name !== 'lost';
  find('sign-in').hidden = name !== 'denied';
  find('sign-out').hidden = name === 'denied' || !access();
}

function draw() {
  drawing = false;
  if (!pool) return;
  drawStates();
  drawTotals();
  tokens.show(pool.tokens, at);
  accounts.show(pool.accounts, at);
  egresses.show(pool.egresses, at);
  accounts.section.hidden = pool.accounts.length === 0;
  drawWords();
  const { title, detail } = poolWords(pool, 0);
  const counts = JSON.stringify([pool.pool.available, pool.pool.resting, pool.pool.ejected, pool.pool.disabled]);
  if (find('spoken').counts !== counts) write(find('spoken'), `${title}, ${detail}`);
  find('spoken').counts = counts;
}

function drawWords() {
  const { title, detail, level } = poolWords(pool, performance.now() - at);
  write(find('status'), title);
  write(find('detail'), detail);
  set(find('status'), 'data-level', level);
  document.title = `${pool.pool.available}/${pool.tokens.length} available · tokenpool`;
}

/** The pool by states: a bar in their shares, and buttons that show the tokens of one state only. */
function drawStates() {
  const counts = Object.groupBy(pool.tokens, ({ state }) => state);
  for (const state of states) {
    const count = counts[state]?.length ?? 0;
    const [part, choice] = [find('parts'), find('states')].map((list) => list.querySelector(`[data-state=${state}]`));
    part.style.flexGrow = count;
    part.hidden = count === 0;
    choice.hidden = count === 0 && chosen !== state;
    write(choice.querySelector('b'), number(count));
  }
}

function drawTotals() {
  const { waiting, requests, successes, rate_limited, failures } = pool.pool;
  const flying = pool.tokens.reduce((sum, token) => sum + token.in_flight, 0);
  const share = requests ? `${(100 * successes / requests).toFixed(1)}\u00a0%` : '–';
  const values = [flying, waiting, requests, share, rate_limited, failures];
  find('totals').querySelectorAll('dd').forEach((node, index) => {
    write(node, typeof values[index] === 'number' ? number(values[index]) : values[index]);
  });
}

/** What passes with time alone; while the connection is lost, what was known stays as it was. */
function tick() {
  const now = performance.now();
  if (nextTry !== undefined) {
    write(find('lost-next'), nextTry > now ? `Trying again in ${duration(nextTry - now)}.` : 'Trying again.');
  } else if (pool) {
    drawWords();
    boards.forEach((board) => board.tick(now));
  }
}

function addNews({ time_ms, kind, token, scope, text }) {
  const entry = clone('event');
  const [time, word, rest] = entry.children;
  entry.dataset.kind = kind;
  time.textContent = clock(time_ms);
  word.textContent = plain(kind);
  rest.textContent = [token || scope, text].filter(Boolean).join(': ');
  find('events').prepend(entry);
  if (find('events').children.length > mostNews) find('events').lastElementChild.remove();
}

// What a person does.

for (const state of states) {
  set(find('parts').appendChild(document.createElement('i')), 'data-state', state);
  const choice = find('states').appendChild(clone('state-choice'));
  set(choice, 'data-state', state);
  set(choice.querySelector('use'), 'href', `#${state}`);
  choice.lastElementChild.textContent = state;
  choice.addEventListener('click', () => {
    chosen = chosen === state ? undefined : state;
    for (const other of find('states').children) set(other, 'aria-pressed', other.dataset.state === chosen);
    select();
  });
}

function select() {
  const text = find('find').value.trim().toLowerCase();
  const matches = ({ id, account, cause }) => [id, account, cause].some((value) => value.toLowerCase().includes(text));
  tokens.select((token) => (!chosen || token.state === chosen) && matches(token), find('sort').value);
}

async function change(id, verb) {
  if (nextTry !== undefined) return say('Not sent: the connection is lost.');
  try {
    await act(access(), id, verb === 'disable' ? 'disable' : 'enable');
    say(`${id} is ${{ disable: 'disabled', enable: 'enabled' }[verb] ?? 'no longer resting'}.`);
  } catch (error) {
    say(`Could not ${verb} ${id}: ${error.message}`);
  }
}

let silence;
function say(text) {
  write(find('said'), text);
  clearTimeout(silence);
  silence = setTimeout(() => write(find('said'), ''), 6000);
}

function askForAccess() {
  write(find('refused'), access() ? 'The gateway does not know this access token.' : '');
  sessionStorage.removeItem(key);
  connection('denied', 'Signed out');
  find('access-token').focus();
}

find('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(key, find('access-token').value.trim());
  find('sign-in').reset();
  connection('connecting', 'Connecting');
  stream.run();
});
find('sign-out').addEventListener('click', () => {
  stream.stop();
  sessionStorage.removeItem(key);
  location.reload();  // which forgets what was shown, too
});
find('try-now').addEventListener('click', () => stream.tryNow());
find('find').addEventListener('input', select);
find('sort').addEventListener('change', select);
setInterval(tick, 250);
stream.run();
