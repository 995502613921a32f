'use strict';

const { Conversation } = require('./conversation.js');
const { operations } = require('./operations.js');
const { TokenCacheError } = require('./token-cache-error.js');

/** The daemon lets 65,536 requests wait in all, which is less than this many connections hold. */
const MOST_CONNECTIONS = 66;

/**
 * Which calls wait, where the others are under way, and what the daemon's bytes mean for them. It knows neither sockets nor
 * clocks.
 *
 * A call is any object with `name`, `body` and `deadline`. It goes on the oldest connection that has room. Where all are full,
 * another one is needed, so that what the daemon has in its cache never waits behind what it has to fetch. A connection on
 * which nobody waits any more is dispensable where it is full (of calls that were given up) or an older one has room.
 *
 * Every operation of the daemon can be asked again, so what was under way on a connection that ended goes to the head of the
 * queue.
 */
class Exchange {
  // What was under way on a connection that ended goes before what has not been asked yet.
  #again = new Set();
  #queue = new Set();
  // The oldest first.
  #conversations = [];
  #lastId = 0;

  get hasQueue() {
    return this.#again.size + this.#queue.size > 0;
  }

  get isEmpty() {
    return !this.hasQueue && !this.#conversations.some(({ isAwaited }) => isAwaited);
  }

  /** Whether calls wait that another connection would take. While the daemon drains one, it accepts no other. */
  get wantsConnection() {
    return (
      this.hasQueue &&
      this.#conversations.length < MOST_CONNECTIONS &&
      this.#conversations.every(({ isFull, isDraining }) => isFull && !isDraining)
    );
  }

  add(call) {
    this.#queue.add(call);
  }

  /** Forgets a call; the late reply to it will be dropped. */
  giveUp(call) {
    this.#again.delete(call);
    this.#queue.delete(call);
    call.conversation?.giveUp(call);
  }

  /** A connection has been made: what will be asked on it. */
  connected() {
    const conversation = new Conversation();
    this.#conversations.push(conversation);
    return conversation;
  }

  /** The connection has ended: what was under way is to be asked again. */
  disconnected(conversation) {
    this.#conversations.splice(this.#conversations.indexOf(conversation), 1);
    for (const call of conversation.clear()) this.#again.add(call);
  }

  /** Whether the connection serves nobody and can be closed. */
  isDispensable(conversation) {
    if (conversation.isAwaited) return false;
    if (conversation.isDraining || conversation.isFull) return true;
    return this.#conversations.slice(0, this.#conversations.indexOf(conversation)).some(({ hasRoom }) => hasRoom);
  }

  /** The lines that may go on that connection now, as text. */
  take(conversation, now) {
    let lines = '';
    for (const call of this.#next(conversation)) {
      this.#lastId += 1;
      conversation.add(call, this.#lastId);
      // The daemon is to answer within what is left of the caller's time, not within all of it from here.
      const left = call.name === 'token' ? `"timeout":${Math.max(0, Math.ceil(call.deadline - now)) / 1_000},` : '';
      lines += `{"id":${call.id},${left}${call.body}}\n`;
    }
    return lines;
  }

  /**
   * What came: the calls that have ended, as `{call, answer}` or `{call, error}`, and whether the connection is of further
   * use.
   */
  receive(conversation, chunk) {
    const ended = [];
    for (const reply of conversation.read(chunk)) {
      if (!this.#receive(reply, conversation, ended)) return { ended, isUseful: false };
    }
    return { ended, isUseful: true };
  }

  /** Ends all calls; those that ended. */
  end() {
    for (const conversation of this.#conversations) {
      for (const call of conversation.clear()) this.#again.add(call);
    }
    const calls = [...this.#again, ...this.#queue];
    this.#again.clear();
    this.#queue.clear();
    return calls;
  }

  *#next(conversation) {
    for (const calls of [this.#again, this.#queue]) {
      for (const call of calls) {
        if (!conversation.hasRoom) return;
        calls.delete(call);
        yield call;
      }
    }
  }

  #receive(reply, conversation, ended) {
    const error = reply && TokenCacheError.ofReply(reply);
    if (!reply || (reply.id === undefined && !error)) {
      return fail(conversation, new TokenCacheError('bad_reply', "the daemon's reply can't be understood"), ended);
    }
    const isShuttingDown = error?.code === 'shutting_down';
    if (isShuttingDown) conversation.isDraining = true;
    // All our requests have an id, so what comes without one is about the connection itself.
    if (reply.id === undefined) return isShuttingDown || fail(conversation, error, ended);
    // What isn't under way was never asked, or nobody waits for it any more.
    const call = conversation.remove(reply.id);
    if (call && isShuttingDown) this.#again.add(call);
    else if (call) ended.push({ call, ...(error ? { error } : answerTo(call, reply)) });
    return true;
  }
}

function fail(conversation, error, ended) {
  for (const call of conversation.clear()) ended.push({ call, error });
  return false;
}

function answerTo({ name }, reply) {
  const answer = operations[name].answer(reply);
  return answer ? { answer } : { error: new TokenCacheError('bad_reply', `the daemon's reply is none to '${name}'`) };
}

module.exports = { Exchange };
