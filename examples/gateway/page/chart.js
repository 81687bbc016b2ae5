// What happened in the last minutes, second by second: a lane each for requests, retries, 429s and failures, so
// that one 429 shows beside a thousand requests.

import { clone, write } from './board.js';
import { clock, number, plural } from './words.js';

const span = 600;
const height = 100;
const lanes = [
  { key: 'requests', name: 'Requests', filled: true },
  { key: 'retries', name: 'Retries' },
  { key: 'rate_limited', name: '429s' },
  { key: 'failures', name: 'Failures' },
];

const sum = (seconds, key) => seconds.reduce((total, second) => total + second[key], 0);
const words = (of) =>
  `${plural(of('requests'), 'request')}, ${plural(of('retries'), 'retry', 'retries')}, ` +
  `${plural(of('rate_limited'), '429')}, ${plural(of('failures'), 'failure')}`;

export class Chart {
  #seconds = [];
  #end = 0;
  #pointed;

  constructor(section) {
    this.reading = section.querySelector('.reading');
    this.plot = section.querySelector('.lanes');
    this.rows = section.querySelector('tbody');
    this.details = section.querySelector('details');
    this.lines = lanes.map((lane) => {
      const line = clone('chart-lane');
      line.dataset.lane = lane.key;
      line.querySelector('b').textContent = lane.name;
      this.plot.lastElementChild.before(line);
      return { ...lane, path: line.querySelector('path'), total: line.querySelector('small'), most: line.querySelector('i'), line };
    });
    this.details.addEventListener('toggle', () => this.draw());
    this.plot.addEventListener('pointermove', (event) => this.#point(event));
    this.plot.addEventListener('pointerleave', () => this.#point());
  }

  reset(history) {
    this.#seconds = history.slice(-span);
    this.draw();
  }

  add(second) {
    this.#seconds.push(second);
    if (this.#seconds.length > span) this.#seconds.shift();
    this.draw();
  }

  draw() {
    this.#end = this.#seconds.at(-1)?.t ?? 0;
    for (const lane of this.lines) {
      const most = this.#seconds.reduce((top, second) => Math.max(top, second[lane.key]), 0);
      lane.path.setAttribute('d', this.#path(lane, most));
      write(lane.total, number(sum(this.#seconds, lane.key)));
      write(lane.most, most ? `${number(most)}/s` : '');
    }
    this.#read();
    if (this.details.open) this.#table();
  }

  /** A filled outline for what is dense, a needle for each second of what is rare. */
  #path({ key, filled }, most) {
    const x = ({ t }) => span - 1 - (this.#end - t);
    const y = (second) => (height - (height - 2) * second[key] / most).toFixed(1);
    if (!most) return '';
    if (!filled) return this.#seconds.map((second) => (second[key] ? `M${x(second) + 0.5},${height}V${y(second)}` : '')).join('');
    return `M${x(this.#seconds[0])},${height}` + this.#seconds.map((second) => `H${x(second)}V${y(second)}`).join('') + `H${span}V${height}Z`;
  }

  #point(event) {
    const box = this.lines[0].path.ownerSVGElement.getBoundingClientRect();
    const share = event ? (event.clientX - box.left) / box.width : -1;
    this.#pointed = share >= 0 && share < 1 ? Math.floor(share * span) : undefined;
    this.plot.style.setProperty('--pointed', `${Math.max(0, share) * box.width}px`);
    this.plot.classList.toggle('pointed', this.#pointed !== undefined);
    this.#read();
  }

  #read() {
    const total = words((key) => sum(this.#seconds, key));
    this.plot.setAttribute('aria-label', `Chart of the last 10 minutes: ${total}. The same stands in the table below.`);
    const t = this.#end - (span - 1 - this.#pointed);
    const second = this.#seconds.find((one) => one.t === t);
    if (this.#pointed === undefined) write(this.reading, total);
    else write(this.reading, `${clock(t * 1000)}: ${second ? words((key) => second[key]) : 'not known'}`);
  }

  #table() {
    const minutes = Map.groupBy(this.#seconds, ({ t }) => Math.floor(t / 60));
    const newest = [...minutes].reverse();
    while (this.rows.rows.length < newest.length) {
      const row = this.rows.insertRow();
      for (let cell = 0; cell <= lanes.length; ++cell) row.insertCell();
    }
    while (this.rows.rows.length > newest.length) this.rows.deleteRow(-1);
    newest.forEach(([minute, seconds], index) => {
      const { cells } = this.rows.rows[index];
      write(cells[0], clock(minute * 60000));
      lanes.forEach(({ key }, lane) => write(cells[lane + 1], number(sum(seconds, key))));
    });
  }
}
