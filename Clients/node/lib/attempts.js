'use strict';

const { TokenCacheError } = require('./token-cache-error.js');

/** The shortest and the longest wait before connecting again, in ms: a restart takes a few tenths of a second. */
const SHORTEST_PAUSE = 10;
const LONGEST_PAUSE = 500;
/** What Linux takes for a socket's path, in bytes. What is longer would be cut, and name another file. */
const LONGEST_PATH = 107;
/** No daemon is there: one that restarts, or none at all. */
const ABSENT = new Set(['ENOENT', 'ECONNREFUSED']);
/** What a daemon that is busy or about to end causes. Anything else, such as EACCES, another attempt won't mend. */
const PASSING = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'EAGAIN']);
const REASONS = {
  ENOENT: 'there is no socket',
  ECONNREFUSED: 'nobody listens there',
  EACCES: 'this user may not use it',
  EAGAIN: 'too many wait there already',
};

/** The attempts to reach the daemon: what the last one ended with, and how long to wait before the next, in ms. */
class Attempts {
  static LONGEST_PAUSE = LONGEST_PAUSE;

  #path;
  #restartGrace;
  #failures = 0;
  #absentSince;
  #trouble;

  /** Whether no attempt is worth while, because there can't be such a socket. */
  isHopeless;

  /** @param restartGrace for how long a daemon that isn't there is waited for, in ms. */
  constructor(path, restartGrace) {
    this.#path = path;
    this.#restartGrace = restartGrace;
    this.#trouble = troubleWith(path);
    this.isHopeless = this.#trouble !== undefined;
  }

  connected() {
    this.#absentSince = undefined;
  }

  answered() {
    this.#failures = 0;
  }

  /** The daemon has ended the connection: the pause before the next attempt. */
  hungUp() {
    this.#trouble = 'the daemon closed the connection';
    return this.#pause();
  }

  /** The pause before the next attempt; undefined where those who wait are to be told that there is no daemon. */
  failed(code, now) {
    this.#trouble = REASONS[code] ?? `the connection failed with ${code}`;
    if (!ABSENT.has(code)) return PASSING.has(code) ? this.#pause() : undefined;
    this.#absentSince ??= now;
    return now - this.#absentSince < this.#restartGrace ? this.#pause() : undefined;
  }

  /** The error of a call for which no daemon was there. */
  unreachable() {
    const trouble = this.#trouble ?? 'the connection was lost';
    return new TokenCacheError('unreachable', `no daemon could be reached at ${this.#path}: ${trouble}`);
  }

  #pause() {
    const longest = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** this.#failures);
    this.#failures += 1;
    return longest * (0.5 + Math.random() / 2);
  }
}

function troubleWith(path) {
  const length = Buffer.byteLength(path);
  if (length === 0) return 'the path is empty';
  if (length > LONGEST_PATH) return `the path has ${length} bytes, and a socket's at most ${LONGEST_PATH}`;
  return path.includes('\0') ? 'the path has a NUL in it' : undefined;
}

module.exports = { Attempts };
