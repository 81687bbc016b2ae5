// What happened in the last minutes, second by second: a lane each for requests, retries, 429s and failures, so
// that one 429 shows beside a thousand requests.

import { clone, write } from './dom.js';
import { clock, counted, number } from './words.js';

const span = 600;
const height = 100;
const lanes = [
  { key: 'requests', name: 'Requests', one: 'request', many: 'requests', dense: true },
  { key: 'retries', name: 'Retries', one: 'retry', many: 'retries' },
  { key: 'rate_limited', name: '429s', one: '429', many: '429s' },
  { key: 'failures', name: 'Failures', one: 'failure', many: 'failures' },
];

const sum = (seconds, key) => seconds.reduce((total, second) => total + second[key], 0);
const words = (seconds) => lanes.map(({ key, one, many }) => counted(sum(seconds, key), one, many)).join(', ');

export class Chart {
  #seconds = [];
  #pointed;  // the second under the pointer, 0 to `span`

  constructor(section) {
    this.reading = section.querySelector('.reading');
    this.plot = section.querySelector('.lanes');
    this.table = section.querySelector('tbody');
    this.details = section.querySelector('details');
    this.lines = lanes.map((lane) => {
      const line = clone('chart-lane');
      line.dataset.lane = lane.key;
      line.querySelector('b').textContent = lane.name;
      this.plot.lastElementChild.before(line);
      const [path, total, most] = ['path', 'small', 'i'].map((part) => line.querySelector(part));
      return { ...lane, path, total, most };
    });
    this.details.addEventListener('toggle', () => this.#draw());
    this.plot.addEventListener('pointermove', (event) => this.#point(event.clientX));
    this.plot.addEventListener('pointerleave', () => this.#point(-1));
  }

  reset(seconds) {
    this.#seconds = seconds.slice(-span);
    this.#draw();
  }

  add(second) {
    this.reset([...this.#seconds, second]);
  }

  get #start() {
    return (this.#seconds.at(-1)?.t ?? 0) - span + 1;
  }

  #draw() {
    for (const { key, dense, path, total, most } of this.lines) {
      const top = Math.max(0, ...this.#seconds.map((second) => second[key]));
      path.setAttribute('d', top ? (dense ? this.#outline(key, top) : this.#needles(key, top)) : '');
      write(total, number(sum(this.#seconds, key)));
      write(most, top ? `${number(top)}/s` : '');
    }
    const label = `Chart of the last 10 minutes: ${words(this.#seconds)}. The table below has the same by the minute.`;
    this.plot.setAttribute('aria-label', label);
    this.#read();
    if (this.details.open) this.#tabulate();
  }

  #outline(key, top) {
    const steps = this.#seconds.map((second) => `H${second.t - this.#start}V${level(second[key], top)}`);
    return `M${this.#seconds[0].t - this.#start},${height}${steps.join('')}H${span}V${height}Z`;
  }

  #needles(key, top) {
    const some = this.#seconds.filter((second) => second[key]);
    return some.map((second) => `M${second.t - this.#start + 0.5},${height}V${level(second[key], top)}`).join('');
  }

  #point(x) {
    const box = this.lines[0].path.ownerSVGElement.getBoundingClientRect();
    const share = (x - box.left) / box.width;
    this.#pointed = share >= 0 && share < 1 ? Math.floor(share * span) : undefined;
    this.plot.style.setProperty('--pointed', `${share * box.width}px`);
    this.plot.classList.toggle('pointed', this.#pointed !== undefined);
    this.#read();
  }

  #read() {
    if (this.#pointed === undefined) return write(this.reading, words(this.#seconds));
    const t = this.#start + this.#pointed;
    const second = this.#seconds.find((one) => one.t === t);
    write(this.reading, `${clock(t * 1000)}: ${second ? words([second]) : 'not known'}`);
  }

  #tabulate() {
    const minutes = [...Map.groupBy(this.#seconds, ({ t }) => Math.floor(t / 60))].reverse();
    this.table.replaceChildren(...minutes.map(([minute, seconds]) => {
      const row = document.createElement('tr');
      row.insertCell().textContent = clock(minute * 60000);
      for (const { key } of lanes) row.insertCell().textContent = number(sum(seconds, key));
      return row;
    }));
  }
}

const level = (value, top) => (height - (height - 2) * value / top).toFixed(1);
