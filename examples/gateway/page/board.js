// A table of tokens, accounts or egresses that is updated in place: a row belongs to an id for as long as that
// lives, and only what changed is written, so that a thousand rows stay fluid and the focus stays where it is.

import { clone, hide, set, write } from './dom.js';
import {
  ago, back, bucketWords, errorWords, factWords, flightWords, limitWords, milliseconds, number, outcomeWords, plain, usage,
} from './words.js';

const worstFirst = ['ejected', 'resting', 'probing', 'disabled', 'draining', 'available'];
const mostLimits = 4;
const manyRows = 50;
const confirmation = 5000;  // milliseconds in which the second press ends a rest

class Row {
  element = clone('board-row');
  parts = {};
  meters = [];
  pressed = -Infinity;  // when "End rest" was pressed first

  constructor() {
    this.element.row = this;
    for (const node of this.element.querySelectorAll('[data-is]')) this.parts[node.dataset.is] = node;
  }

  /** Shows `one` as it was at `at`, an instant of performance.now(). */
  show(one, at) {
    const { parts } = this;
    this.one = one;
    this.at = at;
    set(this.element, 'data-state', one.state);
    set(parts.shape, 'href', `#${one.state}`);
    write(parts.id, one.id);
    write(parts.about, one.account ? `account ${one.account}` : '');
    write(parts.state, one.state);
    write(parts.cause, plain(one.cause));
    write(parts.flight, flightWords(one));
    write(parts.requests, number(one.requests));
    write(parts.outcomes, outcomeWords(one));
    write(parts.p50, one.p50_ms ? milliseconds(one.p50_ms) : '–');
    write(parts.p95, one.p95_ms ? `95 %: ${milliseconds(one.p95_ms)}` : '');
    write(parts.error, one.last_error ? errorWords(one.last_error) : '–');
    write(parts.server, one.server?.length ? `server: ${one.server.map(factWords).join(', ')}` : '');
    this.#showLimits(one.limits.filter(({ unit }) => unit !== 'in_flight'));
    this.tick(performance.now());
  }

  /** Shows what changes with time alone. */
  tick(now) {
    const { state, rest_ms, last_error } = this.one;
    const since = now - this.at;
    write(this.parts.until, rest_ms === undefined ? '' : back(rest_ms - since));
    write(this.parts.buckets, bucketWords(this.one.buckets ?? [], since));
    write(this.parts.ago, last_error ? ago(last_error.age_ms + since) : '');
    this.#showButtons(state, now - this.pressed < confirmation);
  }

  #showLimits(limits) {
    const shown = limits.toSorted((a, b) => usage(b) - usage(a)).slice(0, mostLimits);
    while (this.meters.length > shown.length) this.meters.pop().remove();
    while (this.meters.length < shown.length) this.meters.push(this.parts.limits.appendChild(clone('board-limit')));
    shown.forEach((limit, index) => showLimit(this.meters[index], limit));
    const more = limits.length - shown.length;
    write(this.parts.more, more ? `and ${more} less used` : '');
  }

  #showButtons(state, confirming) {
    const { main, rest } = this.parts;
    const out = state === 'ejected' || state === 'disabled';
    this.verb = out ? 'enable' : 'disable';
    this.confirming = confirming;
    name(main, out ? 'Enable' : 'Disable', this.one.id);
    name(rest, confirming ? 'Confirm' : 'End rest', this.one.id);
    if (rest === document.activeElement && state !== 'resting') main.focus();
    hide(rest, state !== 'resting');
    hide(main, state === 'draining');
  }
}

function name(button, word, id) {
  write(button, word);
  set(button, 'aria-label', `${word} ${id}`);
}

function showLimit(element, limit) {
  const [meter, label] = element.children;
  const share = Math.min(1, usage(limit));
  if (label.written === limitWords(limit)) return;
  write(label, limitWords(limit));
  set(meter, 'aria-valuenow', Math.min(limit.used, limit.amount));
  set(meter, 'aria-valuemax', limit.amount);
  set(meter, 'aria-valuetext', label.written);
  set(meter, 'data-level', share === 1 ? 'full' : 'room');
  meter.firstElementChild.style.transform = `scaleX(${share})`;
}

export class Board {
  #rows = new Map();
  #list = [];
  #wanted = () => true;
  #order = () => 0;
  #body;
  #none;

  /** `act(id, verb)` is called when a person presses a row's button; without it there are no buttons. */
  constructor(section, act) {
    this.section = section;
    section.classList.toggle('plain', !act);
    this.#none = section.querySelector('.none');
    const table = clone('board-table');
    set(table, 'aria-labelledby', section.getAttribute('aria-labelledby'));
    this.#none.before(table);
    this.#body = table.tBodies[0];
    this.#body.addEventListener('click', ({ target }) => {
      const button = target.closest('button');
      const row = button?.closest('tr').row;
      if (button === row?.parts.main) act?.(row.one.id, row.verb);
      else if (button) this.#endRest(row, act);
    });
  }

  #endRest(row, act) {
    if (row.confirming) act(row.one.id, 'end the rest of');
    row.pressed = row.confirming ? -Infinity : performance.now();
    row.tick(performance.now());
  }

  /** Shows the list as it was at `at`, an instant of performance.now(). */
  show(list, at) {
    const gone = new Set(this.#rows.keys());
    for (const one of list) {
      if (!gone.delete(one.id)) this.#rows.set(one.id, new Row());
      this.#rows.get(one.id).show(one, at);
    }
    for (const id of gone) {
      this.#rows.get(id).element.remove();
      this.#rows.delete(id);
    }
    this.#list = list;
    this.section.classList.toggle('many', list.length > manyRows);
    if (!this.#inUse()) this.#arrange();
  }

  tick(now) {
    for (const row of this.#rows.values()) row.tick(now);
  }

  /** Which rows are shown, and by what they are sorted; nothing is the pool's own order. */
  select(wanted, order) {
    this.#wanted = wanted;
    this.#order = orders[order] ?? (() => 0);
    this.#arrange();
  }

  #arrange() {
    const focused = document.activeElement;
    let next = this.#body.firstElementChild;
    let shown = 0;
    for (const one of this.#list.toSorted(this.#order)) {
      const { element } = this.#rows.get(one.id);
      hide(element, !this.#wanted(one));
      shown += !element.hidden;
      if (element === next) next = next.nextElementSibling;
      else this.#body.insertBefore(element, next);
    }
    if (document.activeElement !== focused) focused.focus();
    this.#none.hidden = shown > 0;
  }

  /** A row must not move away from under a person's hand; new rows still get their place. */
  #inUse() {
    const held = this.#body.matches(':hover') || this.#body.contains(document.activeElement);
    return held && this.#rows.size === this.#body.children.length;
  }
}

const fullest = ({ limits }) => Math.max(0, ...limits.map(usage));
const orders = {
  state: (a, b) => worstFirst.indexOf(a.state) - worstFirst.indexOf(b.state),
  usage: (a, b) => fullest(b) - fullest(a),
  requests: (a, b) => b.requests - a.requests,
  rate_limited: (a, b) => b.rate_limited - a.rate_limited,
  failures: (a, b) => b.failures - a.failures,
  p95_ms: (a, b) => (b.p95_ms ?? 0) - (a.p95_ms ?? 0),
};
