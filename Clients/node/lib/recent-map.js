'use strict';

/** A map with a limit, at which it removes the entry that was not used for longest. */
class RecentMap {
  #limit;
  // The entry that was not used for longest is the first.
  #entries = new Map();

  constructor(limit) {
    this.#limit = limit;
  }

  get size() {
    return this.#entries.size;
  }

  get(key) {
    const value = this.#entries.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key, value) {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#limit) this.#entries.delete(this.#entries.keys().next().value);
  }

  /** Removes the entry if it has this value. */
  delete(key, value) {
    if (this.#entries.get(key) === value) this.#entries.delete(key);
  }
}

module.exports = { RecentMap };
