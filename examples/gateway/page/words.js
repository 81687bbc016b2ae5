// Values as a person reads them.

const grouped = new Intl.NumberFormat('en');
export const number = (value) => grouped.format(value);
export const plural = (count, one, many = `${one}s`) => `${number(count)}\u00a0${count === 1 ? one : many}`;

/** Milliseconds in the two units that matter, rounded up: "12 s", "3 min 05 s", "2 h 10 min", "1 d 4 h". */
export function duration(ms) {
  const seconds = Math.ceil(ms / 1000);
  const text = (big, bigUnit, small, smallUnit) => `${big}\u00a0${bigUnit} ${small}\u00a0${smallUnit}`;
  const two = (value) => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds}\u00a0s`;
  if (seconds < 3600) return text(Math.floor(seconds / 60), 'min', two(seconds % 60), 's');
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 1440) return text(Math.floor(minutes / 60), 'h', two(minutes % 60), 'min');
  const hours = Math.ceil(minutes / 60);
  return text(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** How long ago something was, in one unit: "12 s", "3 min", "2 h", "1 d". */
export function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}\u00a0s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}\u00a0min`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)}\u00a0h` : `${Math.floor(seconds / 86400)}\u00a0d`;
}

/** The length of a limit's window in its longest exact unit: "24 h", "minute", "90 s", "500 ms". */
function windowLength(ms) {
  for (const [unit, length, word] of [['h', 3600000, 'hour'], ['min', 60000, 'minute'], ['s', 1000, 'second']]) {
    if (ms === length) return word;
    if (ms % length === 0) return `${ms / length} ${unit}`;
  }
  return `${ms} ms`;
}

const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

/** The time of day of an instant in Unix milliseconds, with the date when it is another day's. */
export function clock(ms) {
  const then = new Date(ms);
  return then.toDateString() === new Date().toDateString() ? time.format(then) : day.format(then);
}

/** "87 of 100 requests per 24 h". */
export function limitWords(limit) {
  const unit = limit.unit === 'in_flight' ? 'in flight' : limit.unit;
  const per = limit.window_ms > 0 ? ` per ${windowLength(limit.window_ms)}` : '';
  return `${number(limit.used)} of ${number(limit.amount)} ${unit}${per}`;
}

/** "97 of 100 requests left": what a server said of its own counts. */
export function factWords({ name, limit, remaining }) {
  if (remaining === undefined) return `at most ${number(limit ?? 0)} ${name}`;
  return `${number(remaining)}${limit === undefined ? '' : ` of ${number(limit)}`} ${name} left`;
}

/** "429 rate limited: the server's words". */
export const errorWords = ({ status, verdict, reason }) =>
  [`${status || 'no answer'} ${verdict.replaceAll('_', ' ')}`, reason].filter(Boolean).join(': ');

/** How full a limit is, 0 to 1 and above. */
export const usage = (limit) => (limit.amount > 0 ? limit.used / limit.amount : 0);

export const milliseconds = (ms) => (ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`);

/** What the header says of the whole pool: {title, detail, lasting}; `lasting` leaves out what ticks. */
export function poolStatus(snapshot, elapsed) {
  const { available, resting, ejected, disabled, waiting } = snapshot.pool;
  const total = snapshot.tokens.length;
  const back = (list) => {
    const rests = list.filter((one) => one.rest_ms > 0).map((one) => one.rest_ms - elapsed);
    return rests.length ? Math.max(0, Math.min(...rests)) : undefined;
  };
  const when = (left) => (left === undefined ? '' : left > 0 ? `back in ${duration(left)}` : 'back any moment');
  const next = back(snapshot.tokens.filter((token) => token.state === 'resting'));
  const blocked = snapshot.egresses.length > 0 && snapshot.egresses.every((one) => one.state === 'resting');

  let title = `${available} of ${number(total)} available`;
  if (total === 0) title = 'No tokens in the pool';
  else if (blocked) title = `No way out: ${when(back(snapshot.egresses)) || 'every egress rests'}`;
  else if (available === total) title = total === 1 ? 'The token is available' : `All ${number(total)} available`;
  else if (available === 0 && resting === total) title = `All resting: ${when(next)}`;
  else if (available === 0 && resting > 0) title = `None available: ${when(next)}`;
  else if (available === 0) title = 'None available until somebody acts';

  const parts = [];
  if (blocked) parts.push(`${available} of ${number(total)} tokens available`);
  if (resting) parts.push(available && next !== undefined ? `${number(resting)} resting, next ${when(next)}` : `${number(resting)} resting`);
  if (ejected) parts.push(`${number(ejected)} ejected`);
  if (disabled) parts.push(`${number(disabled)} disabled`);
  if (waiting) parts.push(`${plural(waiting, 'call')} waiting`);
  const lasting = [title.split(':')[0], ...parts].join('; ').replace(/, next back [^;]*/, '');
  return { title, detail: parts.join(' · ') || 'Nothing rests, nothing waits', lasting, level: blocked || !available ? 'stopped' : available < total ? 'partial' : 'whole' };
}
