'use strict';

const { operations } = require('./operations.js');
const { PendingRequests } = require('./pending-requests.js');
const { ReplyReader } = require('./reply-reader.js');
const { TokenCacheError } = require('./token-cache-error.js');

/** The daemon lets 65,536 requests wait in all, and these connections hold more. */
const MOST_CONNECTIONS = 66;

/**
 * Distributes calls over connections and assigns the daemon's replies to them. It has no socket and no clock.
 *
 * A call is any object with `name`, `body` and `deadline`. It is sent on the oldest connection that has capacity. If
 * all are full, another one is needed, so that a cached token never waits behind tokens that have to be minted. Every
 * operation may be repeated, so a call that was under way when its connection ended is sent again, before the calls
 * that wait.
 */
class Exchange {
  // The calls that were under way on a connection that ended. They precede the queue.
  #retries = new Set();
  #queue = new Set();
  // The oldest connection is the first.
  #connections = [];
  #lastId = 0;

  get hasQueue() {
    return this.#retries.size + this.#queue.size > 0;
  }

  get isEmpty() {
    return !this.hasQueue && !this.#connections.some(({ pending }) => pending.isAwaited);
  }

  /** True if calls wait for which another connection should be made. A daemon that is shutting down accepts none. */
  get needsConnection() {
    return (
      this.hasQueue &&
      this.#connections.length < MOST_CONNECTIONS &&
      this.#connections.every(({ pending }) => pending.isFull && !pending.isDraining)
    );
  }

  add(call) {
    this.#queue.add(call);
  }

  /** Removes a call. A reply to it will be dropped. */
  giveUp(call) {
    this.#retries.delete(call);
    this.#queue.delete(call);
    call.pending?.giveUp(call);
  }

  /** Adds a connection that has been made, and returns what stands for it here. */
  connected() {
    const connection = { pending: new PendingRequests(), replies: new ReplyReader() };
    this.#connections.push(connection);
    return connection;
  }

  /** Removes a connection that has ended. The calls that were under way on it wait again. */
  disconnected(connection) {
    this.#connections.splice(this.#connections.indexOf(connection), 1);
    for (const call of connection.pending.removeAll()) this.#retries.add(call);
  }

  /**
   * True if nobody waits for a reply on the connection and it should be closed: because it is full of calls that were
   * given up, of which the daemon learns so, because it accepts no more, or because an older connection has capacity.
   */
  isDispensable(connection) {
    if (connection.pending.isAwaited) return false;
    if (!connection.pending.hasCapacity) return true;
    const older = this.#connections.slice(0, this.#connections.indexOf(connection));
    return older.some(({ pending }) => pending.hasCapacity);
  }

  /** The lines to send on that connection now. */
  send({ pending }, now) {
    let lines = '';
    for (const call of this.#next(pending)) {
      this.#lastId += 1;
      pending.add(call, this.#lastId);
      lines += `{"id":${call.id},${timeoutOf(call, now)}${call.body}}\n`;
    }
    return lines;
  }

  /**
   * Takes bytes that the daemon has sent. Returns the calls that have ended, as `{ call, answer }` or `{ call, error
   * }`, and whether the connection can be used further.
   */
  receive({ pending, replies }, chunk) {
    const completions = [];
    for (const reply of replies.read(chunk)) {
      if (!this.#receive(reply, pending, completions)) return { completions, isUsable: false };
    }
    return { completions, isUsable: true };
  }

  /** Ends all calls and returns them. */
  end() {
    for (const { pending } of this.#connections) {
      for (const call of pending.removeAll()) this.#retries.add(call);
    }
    const calls = [...this.#retries, ...this.#queue];
    this.#retries.clear();
    this.#queue.clear();
    return calls;
  }

  *#next(pending) {
    for (const calls of [this.#retries, this.#queue]) {
      for (const call of calls) {
        if (!pending.hasCapacity) return;
        calls.delete(call);
        yield call;
      }
    }
  }

  #receive(reply, pending, completions) {
    const error = reply && TokenCacheError.ofReply(reply);
    if (!reply || (reply.id === undefined && !error)) {
      return fail(pending, new TokenCacheError('bad_reply', "the daemon's reply can't be understood"), completions);
    }
    const isShuttingDown = error?.code === 'shutting_down';
    if (isShuttingDown) pending.isDraining = true;
    // All requests of this client have an id, so an error without one is about the connection itself.
    if (reply.id === undefined) return isShuttingDown || fail(pending, error, completions);
    // A call that isn't pending here was never sent on this connection, or was given up.
    const call = pending.remove(reply.id);
    if (call && isShuttingDown) this.#retries.add(call);
    else if (call) completions.push({ call, ...(error ? { error } : answerTo(call, reply)) });
    return true;
  }
}

/** The member that has the daemon answer in the time that is left to the caller, which is less than the caller gave. */
function timeoutOf({ name, deadline }, now) {
  return operations[name].sendsTimeout ? `"timeout":${Math.max(0, Math.ceil(deadline - now)) / 1_000},` : '';
}

function fail(pending, error, completions) {
  for (const call of pending.removeAll()) completions.push({ call, error });
  return false;
}

function answerTo({ name }, reply) {
  const answer = operations[name].answer(reply);
  if (answer) return { answer };
  return { error: new TokenCacheError('bad_reply', `the daemon's reply is not one to '${name}'`) };
}

module.exports = { Exchange };
