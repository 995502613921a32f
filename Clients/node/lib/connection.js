import { connect } from 'node:net';

import { Exchange } from './exchange.js';
import { TokenCacheError } from './token-cache-error.js';

/** The shortest and the longest wait before connecting again, in ms: a restart takes a few tenths of a second. */
const SHORTEST_PAUSE = 10;
const LONGEST_PAUSE = 500;
/** What a daemon that starts, restarts or is busy causes; anything else, such as EACCES, another attempt won't mend. */
const PASSING = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EAGAIN']);
/** The room for a path in Linux's `sockaddr_un`, its end not counted; what is longer would be cut, and name another file. */
const LONGEST_PATH = 107;
const REASONS = {
  ENOENT: 'there is no socket',
  ECONNREFUSED: 'nobody listens there',
  EACCES: 'this user may not use it',
};

/**
 * The one connection to the daemon that all calls share. It is made when a call needs it and made again after it ended;
 * while nobody calls, it doesn't keep the process alive.
 */
export class Connection {
  #path;
  #settle;
  #exchange = new Exchange();
  #socket;
  #isOpen = false;
  #pause;
  #failures = 0;
  #isScheduled = false;
  #isClosed = false;

  /** Why the last attempt to connect failed. */
  trouble = 'the connection was lost';

  /** @param settle is told what came of a call: `(call, error, answer)`. */
  constructor(path, settle) {
    this.#path = path;
    this.#settle = settle;
  }

  get isOpen() {
    return this.#isOpen;
  }

  ask(call) {
    if (this.#isClosed) throw Connection.#closed();
    if (Buffer.byteLength(this.#path) > LONGEST_PATH) {
      this.trouble = 'the path is too long for a socket';
      throw this.unreachable();
    }
    this.#exchange.add(call);
    this.#schedule();
  }

  /** Whether the daemon has been asked this, or a connection to ask it on is being made. */
  isTrying(call) {
    return this.#exchange.isUnderWay(call) || (this.#socket !== undefined && !this.#isOpen);
  }

  giveUp(call) {
    this.#exchange.giveUp(call);
    if (!this.#exchange.isEmpty) return;
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  /** Ends the connection; calls that wait fail. Resolves when the socket is closed. */
  async close() {
    this.#isClosed = true;
    clearTimeout(this.#pause);
    for (const call of this.#exchange.end()) this.#settle(call, Connection.#closed());
    const socket = this.#socket;
    if (!socket || socket.closed) return;
    socket.ref();
    await new Promise((resolve) => socket.once('close', resolve).destroy());
  }

  // The calls of one turn of the event loop go in one write.
  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#proceed();
    });
  }

  #proceed() {
    if (this.#isClosed || this.#pause !== undefined || !this.#exchange.hasQueue) return;
    if (!this.#socket) {
      this.#connect();
    } else if (this.#isOpen && !this.#socket.writableNeedDrain) {
      const lines = this.#exchange.take(performance.now());
      if (lines) this.#socket.write(lines);
    }
  }

  #connect() {
    let failure = 'ECONNRESET';
    const socket = connect(this.#path);
    this.#socket = socket;
    // Calls that wait have timers, which keep the process alive; the connection needn't.
    socket.unref();
    socket.on('connect', () => {
      this.#isOpen = true;
      this.#proceed();
    });
    socket.on('drain', () => this.#proceed());
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', (error) => (failure = error.code));
    socket.on('close', () => this.#ended(failure));
  }

  #receive(chunk) {
    // What closing the connection left behind.
    if (this.#socket.destroyed) return;
    const { ended, broken } = this.#exchange.receive(chunk);
    this.#failures = 0;
    if (broken) this.#socket.destroy();
    for (const { call, error, answer } of ended) this.#settle(call, error, answer);
    this.#proceed();
  }

  #ended(failure) {
    this.#socket = undefined;
    this.#isOpen = false;
    this.#exchange.disconnected();
    if (this.#isClosed) return;
    this.trouble = REASONS[failure] ?? `the connection failed with ${failure}`;
    if (!PASSING.has(failure)) {
      const error = this.unreachable();
      for (const call of this.#exchange.end()) this.#settle(call, error);
    }
    if (this.#exchange.isEmpty) return;
    const longest = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** this.#failures);
    this.#failures += 1;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#proceed();
    }, longest * (0.5 + Math.random() / 2));
  }

  /** The error of a call for which no daemon was there. */
  unreachable() {
    return new TokenCacheError('unreachable', `no daemon could be reached at ${this.#path}: ${this.trouble}`);
  }

  static #closed() {
    return new TokenCacheError('closed', 'the client was closed');
  }
}
