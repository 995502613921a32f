'use strict';

/** The daemon stops reading a connection on which 1,024 requests wait. Below that, none holds up those behind it. */
const WINDOW = 1_000;
/** Sixteen times the longest token that the daemon hands out. */
const LONGEST_REPLY = 1_048_576;
const NEWLINE = 0x0a;

/** The requests of one connection that the daemon hasn't answered, and its lines as they come in pieces. */
class Conversation {
  // By id; a call that was given up leaves its id, because the daemon still counts it.
  #underWay = new Map();
  #awaited = 0;
  #pieces = [];
  #length = 0;
  #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  /** Whether the daemon drains: nothing more is asked on this connection. */
  isDraining = false;

  get isFull() {
    return this.#underWay.size >= WINDOW;
  }

  get hasRoom() {
    return !this.isFull && !this.isDraining;
  }

  /** Whether somebody waits for a reply. */
  get isAwaited() {
    return this.#awaited > 0;
  }

  add(call, id) {
    call.id = id;
    call.conversation = this;
    this.#underWay.set(id, call);
    this.#awaited += 1;
  }

  giveUp(call) {
    call.conversation = undefined;
    this.#underWay.set(call.id, undefined);
    this.#awaited -= 1;
  }

  /** Takes out the call that was answered; undefined where none has that id or nobody waits for it any more. */
  remove(id) {
    const call = this.#underWay.get(id);
    this.#underWay.delete(id);
    if (!call) return undefined;
    call.conversation = undefined;
    this.#awaited -= 1;
    return call;
  }

  /** Takes out all calls that somebody waits for, in the order in which they were asked. */
  clear() {
    const calls = [...this.#underWay.values()].filter(Boolean);
    for (const call of calls) call.conversation = undefined;
    this.#underWay.clear();
    this.#awaited = 0;
    return calls;
  }

  /** The replies that are complete now; the last is undefined where the line is none. */
  *read(chunk) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#line(chunk.subarray(start, end));
      start = end + 1;
      const reply = line.length > LONGEST_REPLY ? undefined : this.#parse(line);
      yield reply;
      if (!reply) return;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    if (this.#length > LONGEST_REPLY) yield undefined;
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

module.exports = { Conversation };
