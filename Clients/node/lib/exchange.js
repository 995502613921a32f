import { operations } from './operations.js';
import { TokenCacheError } from './token-cache-error.js';

/** The daemon stops reading a connection on which 1,024 requests wait; below that, none holds up those behind it. */
const WINDOW = 1_000;
/** The daemon's own limit of a request's line, its end not counted. */
const LONGEST_REQUEST = 65_536;
/** Sixteen times the longest token that the daemon hands out. */
const LONGEST_REPLY = 1_048_576;
const NEWLINE = 0x0a;

/**
 * Which calls wait, which are under way, and what the daemon's bytes mean for them. It knows neither socket nor clock.
 *
 * A call is any object with `name`, `body` and `deadline`. Every operation of the daemon can be asked again, so what was
 * under way when a connection ended goes to the head of the queue.
 */
export class Exchange {
  // What was under way on a connection that ended goes before what has not been asked yet.
  #again = new Set();
  #queue = new Set();
  // By id; a call that was given up leaves its id, because the daemon still counts it as waiting.
  #underWay = new Map();
  #wanted = 0;
  #lastId = 0;
  #pieces = [];
  #length = 0;
  #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  /** Whether the daemon drains: nothing more is asked on this connection. */
  isDraining = false;

  get hasQueue() {
    return this.#again.size + this.#queue.size > 0;
  }

  /** Whether a call that somebody waits for has been sent. */
  get isAwaited() {
    return this.#wanted > 0;
  }

  get isEmpty() {
    return !this.hasQueue && !this.isAwaited;
  }

  add(call) {
    // The longest id and time-out that will stand before it.
    if (Buffer.byteLength(call.body) > LONGEST_REQUEST - 64) {
      throw new TokenCacheError('invalid_request', 'the request is too long');
    }
    this.#queue.add(call);
  }

  isUnderWay(call) {
    return this.#underWay.get(call.id) === call;
  }

  /** Forgets a call; the late reply to it will be dropped. */
  giveUp(call) {
    this.#again.delete(call);
    this.#queue.delete(call);
    if (!this.isUnderWay(call)) return;
    this.#underWay.set(call.id, undefined);
    this.#wanted -= 1;
  }

  /** The lines that may go now, as text. */
  take(now) {
    let lines = '';
    if (this.isDraining) return lines;
    for (const call of this.#next()) {
      call.id = this.#lastId += 1;
      this.#underWay.set(call.id, call);
      this.#wanted += 1;
      // The daemon is to answer within what is left of the caller's time, not within all of it from here.
      const left = call.name === 'token' ? `"timeout":${Math.max(0, Math.ceil(call.deadline - now)) / 1_000},` : '';
      lines += `{"id":${call.id},${left}${call.body}}\n`;
    }
    return lines;
  }

  /**
   * What came: the calls that have ended, as `{call, answer}` or `{call, error}`, and, where the connection is of no
   * further use, `broken`.
   */
  receive(chunk) {
    const ended = [];
    let broken = false;
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0 && !broken; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#line(chunk.subarray(start, end));
      start = end + 1;
      broken = line.length > LONGEST_REPLY || !this.#receiveLine(line, ended);
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    if (this.#length > LONGEST_REPLY) broken = true;
    if (broken) this.#failAll(new TokenCacheError('bad_reply', "the daemon's reply can't be understood"), ended);
    return { ended, broken: broken || (this.isDraining && !this.isAwaited) };
  }

  /** The connection has ended: what was under way is to be asked again. */
  disconnected() {
    for (const call of this.#underWay.values()) if (call) this.#again.add(call);
    this.#forgetConnection();
  }

  /** Ends all calls; those that ended. */
  end() {
    this.disconnected();
    const calls = [...this.#again, ...this.#queue];
    this.#again.clear();
    this.#queue.clear();
    return calls;
  }

  *#next() {
    for (const calls of [this.#again, this.#queue]) {
      for (const call of calls) {
        if (this.#underWay.size >= WINDOW) return;
        calls.delete(call);
        yield call;
      }
    }
  }

  #forgetConnection() {
    this.#underWay.clear();
    this.#wanted = 0;
    this.#pieces = [];
    this.#length = 0;
    this.isDraining = false;
  }

  #keep(piece) {
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  #line(last) {
    if (this.#length === 0) return last;
    this.#keep(last);
    const line = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#length = 0;
    return line;
  }

  /** Whether the line made sense. */
  #receiveLine(line, ended) {
    const reply = this.#parse(line);
    if (reply === undefined) return false;
    const error = TokenCacheError.ofReply(reply);
    if (reply.id === undefined) return this.#receiveUnnumbered(error, ended);
    // What has no entry was never asked.
    const call = this.#underWay.get(reply.id);
    this.#underWay.delete(reply.id);
    if (error?.code === 'shutting_down') this.isDraining = true;
    if (call === undefined) return true;
    this.#wanted -= 1;
    if (error?.code === 'shutting_down') {
      this.#again.add(call);
    } else if (error) {
      ended.push({ call, error });
    } else {
      const answer = operations[call.name].answer(reply);
      ended.push(answer ? { call, answer } : { call, error: Exchange.#senseless(call.name) });
    }
    return true;
  }

  /** All our requests have an id, so what comes without one is about the connection itself. */
  #receiveUnnumbered(error, ended) {
    if (!error) return false;
    this.isDraining = true;
    if (error.code !== 'shutting_down') this.#failAll(error, ended);
    return true;
  }

  #failAll(error, ended) {
    for (const call of this.#underWay.values()) if (call) ended.push({ call, error });
    this.#underWay.clear();
    this.#wanted = 0;
  }

  static #senseless(name) {
    return new TokenCacheError('bad_reply', `the daemon's reply is none to '${name}'`);
  }

  // An error of JSON.parse quotes the text, in which a token may stand: it goes no further.
  #parse(line) {
    try {
      const reply = JSON.parse(this.#decoder.decode(line));
      return typeof reply === 'object' && reply !== null && !Array.isArray(reply) ? reply : undefined;
    } catch {
      return undefined;
    }
  }
}
