// The gateway's live stream. Read with fetch() because EventSource can carry no access token; it reconnects by
// itself, more slowly each time.

const silence = 5000;  // milliseconds; the gateway speaks at least once a second
const longestPause = 10000;

/** The events of a text/event-stream, as {name, data}. */
async function* events(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    heard();
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const event = { name: 'message', data: '' };
      for (const line of block.split('\n')) {
        if (line.startsWith('event: ')) event.name = line.slice(7);
        if (line.startsWith('data: ')) event.data += line.slice(6);
      }
      if (event.data) yield event;
    }
  }
}

export class Stream {
  #access;
  #told;
  #failures = 0;
  #abort = new AbortController();
  #wake = () => {};

  /** `access` says the access token or nothing; `told` has `event(name, value)`, `live()`, `denied()` and
      `lost(nextTry)`, an instant of performance.now(). */
  constructor(access, told) {
    this.#access = access;
    this.#told = told;
  }

  /** Runs until it is denied or stopped. */
  async run() {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    while (!signal.aborted) {
      const denied = await this.#read(signal).catch(() => false);
      if (signal.aborted) return;
      if (denied) return this.#told.denied();
      const pause = Math.min(longestPause, 500 * 2 ** this.#failures++) * (0.8 + 0.4 * Math.random());
      this.#told.lost(performance.now() + pause);
      await new Promise((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, pause);
      });
    }
  }

  stop() {
    this.#abort.abort();
    this.#wake();
  }

  tryNow() {
    this.#wake();
  }

  /** Reads one connection to its end; true if the gateway wants another access token. */
  async #read(signal) {
    const connection = new AbortController();
    signal.addEventListener('abort', () => connection.abort(), { once: true });
    let timer;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => connection.abort(), silence);
    };
    heard();
    try {
      const answer = await fetch('/tokenpool/live', { headers: headers(this.#access()), signal: connection.signal, cache: 'no-store' });
      if (answer.status === 401) return true;
      if (!answer.ok) return false;
      for await (const event of events(answer.body, heard)) {
        if (event.name === 'hello') {
          this.#failures = 0;
          this.#told.live();
        }
        this.#told.event(event.name, JSON.parse(event.data));
      }
      return false;
    } finally {
      clearTimeout(timer);
      connection.abort();
    }
  }
}

const headers = (access) => (access ? { Authorization: `Bearer ${access}` } : {});

/** Asks the gateway to disable or enable a token; throws an Error that says why it would not. */
export async function act(access, id, verb) {
  const answer = await fetch(`/tokenpool/tokens/${encodeURIComponent(id)}/${verb}`, {
    method: 'POST',
    headers: { ...headers(access), 'Content-Type': 'application/json' },
    body: verb === 'disable' ? '{"reason":"by hand, on the live page"}' : '{}',
  });
  if (answer.ok) return;
  const body = await answer.json().catch(() => ({}));
  throw new Error(body.error?.message ?? `the gateway answered ${answer.status}`);
}
