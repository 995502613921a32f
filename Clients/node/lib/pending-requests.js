'use strict';

/** The daemon stops reading a connection on which 1,024 requests wait. Below that, none delays those behind it. */
const LIMIT = 1_000;

/** The requests of one connection that the daemon hasn't answered. */
class PendingRequests {
  // By id. A call that was given up leaves its id, because the daemon still counts it.
  #unanswered = new Map();
  #awaited = 0;

  /** True if the daemon is shutting down, so that no further request is sent on this connection. */
  isDraining = false;

  get isFull() {
    return this.#unanswered.size >= LIMIT;
  }

  /** True if the connection accepts another request. */
  get hasCapacity() {
    return !this.isFull && !this.isDraining;
  }

  /** True if somebody waits for a reply. */
  get isAwaited() {
    return this.#awaited > 0;
  }

  add(call, id) {
    call.id = id;
    call.pending = this;
    this.#unanswered.set(id, call);
    this.#awaited += 1;
  }

  giveUp(call) {
    call.pending = undefined;
    this.#unanswered.set(call.id, undefined);
    this.#awaited -= 1;
  }

  /** Removes the call that was answered. Returns undefined if no call has that id or nobody waits for it any more. */
  remove(id) {
    const call = this.#unanswered.get(id);
    this.#unanswered.delete(id);
    if (!call) return undefined;
    call.pending = undefined;
    this.#awaited -= 1;
    return call;
  }

  /** Removes all calls and returns those that somebody waits for, in the order in which they were sent. */
  removeAll() {
    const calls = [...this.#unanswered.values()].filter(Boolean);
    for (const call of calls) call.pending = undefined;
    this.#unanswered.clear();
    this.#awaited = 0;
    return calls;
  }
}

module.exports = { PendingRequests };
