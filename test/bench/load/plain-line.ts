// A kept connection for one request at a time, as bare as can be: it reads just enough of an answer to know its first byte and its
// end, so that what is measured is the proxy and not the load.
import { connect, type Socket } from 'node:net';

export interface LineEvents {
  /** Of an answer. */
  firstByte(line: PlainLine): void;
  /** The answer is whole and was 200, or it was not, or the connection broke. */
  ended(line: PlainLine, isGood: boolean): void;
}

export class PlainLine {
  readonly #socket: Socket;
  #text = '';
  #isBusy = false;
  #events: LineEvents;
  /** Whether another request can be sent. */
  isOpen = true;
  dueAtMs = 0;

  constructor({ hostname, port }: URL, events: LineEvents) {
    this.#events = events;
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#read(text));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.isOpen = false;
      if (this.#isBusy) this.#end(false);
    });
  }

  send(request: Buffer, dueAtMs: number): void {
    this.dueAtMs = dueAtMs;
    this.#isBusy = true;
    this.#text = '';
    this.#socket.write(request);
  }

  #read(text: string): void {
    if (!this.#isBusy) return;
    if (this.#text === '') this.#events.firstByte(this);
    this.#text += text;
    const headEnd = this.#text.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const head = this.#text.slice(0, headEnd).toLowerCase();
    const [, length] = /\r\ncontent-length: *(\d+)/.exec(head) ?? [];
    const isWhole =
      length === undefined ? this.#text.endsWith('\r\n0\r\n\r\n') : this.#text.length >= headEnd + 4 + Number(length);
    if (!isWhole) return;
    if (head.includes('\r\nconnection: close')) this.isOpen = false;
    this.#end(head.startsWith('http/1.1 200'));
  }

  #end(isGood: boolean): void {
    this.#isBusy = false;
    this.#events.ended(this, isGood);
  }
}
