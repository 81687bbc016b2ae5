// Values as a person reads them. Numbers stay on one line with what they count.

const grouped = new Intl.NumberFormat('en');
export const number = (value) => grouped.format(value);
export const counted = (count, one, many = `${one}s`) => `${number(count)}\u00a0${count === 1 ? one : many}`;
export const plain = (identifier) => identifier.replaceAll('_', ' ');

/** Rounded up, in the two units that matter: "12 s", "3 min 05 s", "2 h 10 min", "1 d 4 h". */
export function duration(ms) {
  const seconds = Math.ceil(ms / 1000);
  const minutes = Math.ceil(seconds / 60);
  const hours = Math.ceil(minutes / 60);
  const two = (value) => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds}\u00a0s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}\u00a0min ${two(seconds % 60)}\u00a0s`;
  if (minutes < 1440) return `${Math.floor(minutes / 60)}\u00a0h ${two(minutes % 60)}\u00a0min`;
  return `${Math.floor(hours / 24)}\u00a0d ${hours % 24}\u00a0h`;
}

/** "back in 12 s" of what has that much of a rest left. */
export const back = (ms) => (ms > 0 ? `back in ${duration(ms)}` : 'back any moment');

/** "12 s ago", "3 min ago": one unit is enough for what is over. */
export function ago(ms) {
  const units = [['d', 86400000], ['h', 3600000], ['min', 60000], ['s', 1000]];
  const [unit, length] = units.find(([, length]) => ms >= length) ?? units.at(-1);
  return `${Math.floor(ms / length)}\u00a0${unit} ago`;
}

const timeOfDay = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** An instant in Unix milliseconds, with its date when that is not today's. */
export const clock = (ms) =>
  (new Date(ms).toDateString() === new Date().toDateString() ? timeOfDay : day).format(ms);

/** "87 of 100 requests per minute". */
export function limitWords({ used, amount, unit, window_ms }) {
  const words = `${number(used)} of ${number(amount)} ${plain(unit)}`;
  if (!window_ms) return words;
  for (const [name, length, word] of [['h', 3600000, 'hour'], ['min', 60000, 'minute'], ['s', 1000, 'second']]) {
    if (window_ms === length) return `${words} per ${word}`;
    if (window_ms % length === 0) return `${words} per ${window_ms / length}\u00a0${name}`;
  }
  return `${words} per ${window_ms}\u00a0ms`;
}

/** How full a limit is, 0 to 1 and above. */
export const usage = ({ used, amount }) => (amount > 0 ? used / amount : 0);

/** "97 of 100 requests left": what a server said of its own counts. */
export function factWords({ name, limit, remaining }) {
  if (remaining === undefined) return `at most ${number(limit ?? 0)} ${name}`;
  return `${number(remaining)}${limit === undefined ? '' : ` of ${number(limit)}`} ${name} left`;
}

/** "2 of 8" where requests in flight are limited. */
export function flightWords({ in_flight, limits }) {
  const limit = limits.find(({ unit }) => unit === 'in_flight');
  return limit ? `${number(in_flight)} of ${number(limit.amount)}` : number(in_flight);
}

export function outcomeWords({ requests, successes, rate_limited, failures }) {
  if (requests === successes) return requests ? 'all went well' : '';
  const parts = [`${number(successes)}\u00a0good`];
  if (rate_limited) parts.push(counted(rate_limited, '429'));
  if (failures) parts.push(`${number(failures)}\u00a0failed`);
  return parts.join(', ');
}

/** What went wrong last, in the library's words, which have the status in them. */
export const errorWords = ({ verdict, reason }) => plain(reason || verdict);

export const milliseconds = (ms) => (ms >= 1000 ? `${(ms / 1000).toFixed(1)}\u00a0s` : `${Math.round(ms)}\u00a0ms`);

/** When the first of those that rest is back, in milliseconds from the snapshot; undefined when nobody knows. */
function firstBack(list) {
  const rests = list.filter((one) => one.state === 'resting' && one.rest_ms !== undefined).map((one) => one.rest_ms);
  return rests.length ? Math.min(...rests) : undefined;
}

/** "not for gpt-large: back in 12 s" of a token that rests in some buckets alone. */
export const bucketWords = (buckets, elapsed) =>
  buckets.map(({ id, rest_ms }) => `not for ${id}${rest_ms === undefined ? '' : `: ${back(rest_ms - elapsed)}`}`).join(', ');

/** The whole pool in words, `elapsed` milliseconds after the snapshot: {title, detail, level}. */
export function poolWords({ tokens, egresses, pool }, elapsed) {
  const { available, resting, ejected, disabled, waiting } = pool;
  const total = tokens.length;
  const when = (list) => (firstBack(list) === undefined ? 'nobody knows when' : back(firstBack(list) - elapsed));
  const blocked = egresses.length > 0 && egresses.every(({ state }) => state === 'resting');

  let title = `${number(available)} of ${number(total)} available`;
  if (total === 0) title = 'No tokens';
  else if (blocked) title = `No way out: ${when(egresses)}`;
  else if (available === total) title = `All ${number(total)} available`;
  else if (available === 0 && resting === 0) title = 'None available until somebody acts';
  else if (available === 0) title = `${resting === total ? 'All resting' : 'None available'}: ${when(tokens)}`;

  const parts = [];
  if (blocked) parts.push('every egress rests');
  if (resting) parts.push(`${number(resting)} resting${available ? `, next ${when(tokens)}` : ''}`);
  if (ejected) parts.push(`${number(ejected)} ejected`);
  if (disabled) parts.push(`${number(disabled)} disabled`);
  if (waiting) parts.push(`${counted(waiting, 'call')} waiting`);
  return { title, detail: parts.join(' · ') || 'nothing rests', level: available && !blocked ? 'open' : 'stopped' };
}
