// Reads an event stream as it arrives, as far as it comes: a transport that ends early is a finding here, no failure.
export interface SseReading {
  /** The next `data:` value; undefined at the end, however it ended. */
  readonly next: () => Promise<string | undefined>;
  /** All that are left. */
  readonly rest: () => Promise<readonly string[]>;
}

export function readSse(response: Response): SseReading {
  const values = dataOf(response);
  const next = async (): Promise<string | undefined> => {
    const { done, value } = await values.next();
    return done === true ? undefined : value;
  };
  return {
    next,
    async rest() {
      const left: string[] = [];
      for await (const value of values) left.push(value);
      return left;
    },
  };
}

async function* dataOf(response: Response): AsyncGenerator<string, undefined> {
  if (response.body === null) return;
  let held = '';
  try {
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      held += text;
      const events = held.split('\n\n');
      held = events.pop() ?? '';
      for (const event of events) if (event.startsWith('data: ')) yield event.slice('data: '.length);
    }
  } catch {
    // Cut off.
  }
}
