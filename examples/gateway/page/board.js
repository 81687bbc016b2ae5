// A table of tokens, accounts or egresses that is updated in place: a row belongs to an id for as long as that
// lives, and only what changed is written, so that a thousand rows stay fluid and the focus stays where it is.

import { age, duration, errorWords, factWords, limitWords, milliseconds, number, plural, usage } from './words.js';

const worstFirst = ['ejected', 'resting', 'probing', 'disabled', 'draining', 'available'];
const mostLimits = 4;
const manyRows = 50;
const confirmation = 5000;  // milliseconds in which the second press ends a rest

export const clone = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

/** Writes a text unless it is there already. What comes from outside is only ever written as text. */
export function write(node, text) {
  if (node.written !== text) node.textContent = node.written = text;
}

function set(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

class Row {
  constructor() {
    this.element = clone('board-row');
    this.element.row = this;
    this.parts = {};
    for (const node of this.element.querySelectorAll('[data-is]')) this.parts[node.dataset.is] = node;
    this.meters = [];
  }

  show(one, received) {
    this.one = one;
    this.until = one.rest_ms === undefined ? undefined : received + one.rest_ms;
    const { parts } = this;
    set(this.element, 'data-state', one.state);
    set(parts.shape, 'href', `#${one.state}`);
    write(parts.id, one.id);
    write(parts.about, one.account ? `account ${one.account}` : '');
    write(parts.state, one.state);
    write(parts.cause, one.cause.replaceAll('_', ' '));
    write(parts.flight, flightWords(one));
    write(parts.requests, number(one.requests));
    write(parts.outcomes, outcomeWords(one));
    write(parts.p50, one.p50_ms > 0 ? milliseconds(one.p50_ms) : '–');
    write(parts.p95, one.p95_ms > 0 ? `95 %: ${milliseconds(one.p95_ms)}` : '');
    write(parts.error, one.last_error ? errorWords(one.last_error) : '–');
    this.erred = one.last_error && received - one.last_error.age_ms;
    write(parts.server, one.server?.length ? `server: ${one.server.map(factWords).join(', ')}` : '');
    this.#showLimits(one.limits.filter((limit) => limit.unit !== 'in_flight'));
    this.#showButtons(one);
  }

  tick(now) {
    const left = this.until - now;
    write(this.parts.until, this.until === undefined ? '' : left > 0 ? `back in ${duration(left)}` : 'back any moment');
    write(this.parts.ago, this.erred === undefined ? '' : `${age(now - this.erred)} ago`);
    if (this.armed < now) this.arm(undefined);
  }

  /** Until when a second press ends the rest; undefined: the next press is the first. */
  arm(until) {
    this.armed = until;
    this.#name(this.parts.rest, until ? 'Confirm' : 'End rest', until ? 'the end of the rest of ' : 'of ');
  }

  #showLimits(limits) {
    const fullest = limits.length > mostLimits ? limits.toSorted((a, b) => usage(b) - usage(a)).slice(0, mostLimits) : limits;
    while (this.meters.length > fullest.length) this.meters.pop().remove();
    while (this.meters.length < fullest.length) {
      this.meters.push(clone('board-limit'));
      this.parts.limits.append(this.meters.at(-1));
    }
    fullest.forEach((limit, index) => {
      const [meter, label] = this.meters[index].children;
      const share = Math.min(1, usage(limit));
      const words = limitWords(limit);
      if (label.written === words) return;
      write(label, words);
      set(meter, 'aria-valuenow', Math.min(limit.used, limit.amount));
      set(meter, 'aria-valuemax', limit.amount);
      set(meter, 'aria-valuetext', words);
      set(meter, 'aria-label', 'used');
      set(meter, 'data-level', share >= 1 ? 'full' : share >= 0.8 ? 'near' : 'low');
      meter.firstElementChild.style.transform = `scaleX(${share})`;
    });
    write(this.parts.more, limits.length > mostLimits ? `and ${limits.length - mostLimits} that are less used` : '');
  }

  #showButtons({ state }) {
    const { main, rest } = this.parts;
    const out = state === 'ejected' || state === 'disabled';
    this.verb = out ? 'enable' : 'disable';
    this.#name(main, out ? 'Enable' : 'Disable', '');
    main.hidden = state === 'draining';
    if (!this.armed) this.arm(undefined);
    const hide = state !== 'resting';
    if (hide && document.activeElement === rest) main.focus();
    rest.hidden = hide;
  }

  #name(button, word, before) {
    write(button, word);
    set(button, 'aria-label', `${word} ${before}${this.one.id}`);
  }
}

export class Board {
  #rows = new Map();
  #order = () => 0;
  #wanted = () => true;
  #body;
  #none;

  /** `act(id, verb)` is called when a person disables, enables or un-rests a row; without it there are no buttons. */
  constructor(section, act) {
    this.section = section;
    section.classList.toggle('plain', !act);
    const table = clone('board-table');
    set(table, 'aria-labelledby', section.getAttribute('aria-labelledby'));
    this.#none = section.querySelector('.none');
    this.#none.before(table);
    this.#body = table.tBodies[0];
    this.#body.addEventListener('click', ({ target }) => {
      const button = target.closest('button');
      if (!button) return;
      const { row } = button.closest('tr');
      if (button === row.parts.main) act(row.one.id, row.verb);
      else if (row.armed) row.arm(undefined), act(row.one.id, 'end the rest of');
      else row.arm(performance.now() + confirmation);
    });
  }

  /** Shows the list as it was at `received`, an instant of performance.now(). */
  show(list, received) {
    const gone = new Set(this.#rows.keys());
    for (const one of list) {
      if (!this.#rows.has(one.id)) this.#rows.set(one.id, new Row());
      this.#rows.get(one.id).show(one, received);
      gone.delete(one.id);
    }
    for (const id of gone) {
      this.#rows.get(id).element.remove();
      this.#rows.delete(id);
    }
    this.list = list;
    this.section.classList.toggle('many', list.length > manyRows);
    this.tick(performance.now());
    if (!this.#inUse()) this.arrange();
  }

  tick(now) {
    for (const row of this.#rows.values()) row.tick(now);
  }

  /** Which rows are shown, and in which order: "" is the pool's own. */
  select(wanted, order) {
    this.#wanted = wanted;
    this.#order = orders[order] ?? (() => 0);
    this.arrange();
  }

  arrange() {
    const focused = document.activeElement;
    let next = this.#body.firstElementChild;
    let shown = 0;
    for (const one of this.list.toSorted(this.#order)) {
      const { element } = this.#rows.get(one.id);
      element.hidden = !this.#wanted(one);
      if (!element.hidden) ++shown;
      if (element === next) next = next.nextElementSibling;
      else this.#body.insertBefore(element, next);
    }
    if (document.activeElement !== focused) focused.focus();
    this.#none.hidden = shown > 0;
  }

  /** A row must not move away from under a person's hand; new rows still get a place. */
  #inUse() {
    const held = this.#body.matches(':hover') || this.#body.contains(document.activeElement);
    return held && this.#rows.size === this.#body.children.length;
  }
}

const orders = {
  state: (a, b) => worstFirst.indexOf(a.state) - worstFirst.indexOf(b.state),
  usage: (a, b) => fullest(b) - fullest(a),
  requests: (a, b) => b.requests - a.requests,
  rate_limited: (a, b) => b.rate_limited - a.rate_limited,
  failures: (a, b) => b.failures - a.failures,
  p95_ms: (a, b) => b.p95_ms - a.p95_ms,
};

/** "2 of 8" where requests in flight are limited here. */
function flightWords({ in_flight, limits }) {
  const limit = limits.find(({ unit }) => unit === 'in_flight');
  return limit ? `${number(in_flight)} of ${number(limit.amount)}` : number(in_flight);
}

function outcomeWords({ requests, successes, rate_limited, failures }) {
  if (requests === 0) return '';
  if (requests === successes) return 'all went well';
  const parts = [`${number(successes)}\u00a0good`];
  if (rate_limited) parts.push(plural(rate_limited, '429'));
  if (failures) parts.push(`${number(failures)}\u00a0failed`);
  return parts.join(', ');
}

const fullest = (one) => one.limits.reduce((most, limit) => Math.max(most, usage(limit)), 0);
