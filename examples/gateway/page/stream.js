// The gateway's live stream. Read with fetch(), because EventSource can carry no access token; connects again by
// itself, after longer and longer pauses.

const silence = 5000;  // milliseconds; the gateway speaks at least once a second
const longestPause = 10000;

const headers = (access) => (access ? { Authorization: `Bearer ${access}` } : {});

/** The events of a text/event-stream as [name, value]; `heard` is called whenever something came. */
async function* events(body, heard) {
  let rest = '';
  for await (const text of chunks(body.pipeThrough(new TextDecoderStream()))) {
    heard();
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const [, name, data] = block.match(/^event: (.*)\ndata: (.*)$/) ?? [];
      if (name) yield [name, JSON.parse(data)];
    }
  }
}

/** Not every browser lets a stream be walked through by itself. */
async function* chunks(stream) {
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}

export class Stream {
  #access;
  #told;
  #failures = 0;
  #stopped = false;
  tryNow = () => {};  // ends a pause

  /** `access` gives the access token, if there is one. `told` has a member for each event, `denied()` and
      `lost(next)`, the instant of performance.now() at which the next attempt is due. */
  constructor(access, told) {
    this.#access = access;
    this.#told = told;
  }

  /** Says nothing any more. */
  stop() {
    this.#stopped = true;
  }

  /** Runs until it is denied or stopped. */
  async run() {
    for (;;) {
      const status = await this.#read().catch(() => undefined);
      if (this.#stopped) return;
      if (status === 401) {
        this.#told.denied();
        return;
      }
      const pause = Math.min(longestPause, 500 * 2 ** this.#failures++) * (0.8 + 0.4 * Math.random());
      this.#told.lost(performance.now() + pause);
      await new Promise((resolve) => {
        this.tryNow = resolve;
        setTimeout(resolve, pause);
      });
    }
  }

  /** Reads one connection to its end and returns its status. */
  async #read() {
    const connection = new AbortController();
    let timer;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => connection.abort(), silence);
    };
    heard();
    try {
      const options = { headers: headers(this.#access()), signal: connection.signal, cache: 'no-store' };
      const answer = await fetch('/tokenpool/live', options);
      if (!answer.ok) return answer.status;
      for await (const [name, value] of events(answer.body, heard)) {
        this.#failures = 0;
        this.#told[name]?.(value);
      }
      return answer.status;
    } finally {
      clearTimeout(timer);
      connection.abort();
    }
  }
}

/** Asks the gateway to disable or enable a token; throws an Error that says why it would not. */
export async function act(access, id, verb) {
  const answer = await fetch(`/tokenpool/tokens/${encodeURIComponent(id)}/${verb}`, {
    method: 'POST',
    headers: { ...headers(access), 'Content-Type': 'application/json' },
    body: JSON.stringify(verb === 'disable' ? { reason: 'by hand, on the live page' } : {}),
  });
  if (answer.ok) return;
  const body = await answer.json().catch(() => undefined);
  throw new Error(body?.error?.message ?? `the gateway answered ${answer.status}`);
}
