'use strict';

const { fingerprintOf } = require('./fingerprints.js');
const { RecentMap } = require('./recent-map.js');

/** Each takes up to about 1 KiB: a user's name and two fingerprints. */
const MOST_USERS = 10_000;
/**
 * The time in ms for which a refusal counts as one of the token that was replaced last: requests with it were under way.
 * The daemon keeps a replacement as long.
 */
const REPLACEMENT_TIME = 10_000;

/**
 * Gets users' tokens for a caller that learns of a refusal without the token. It takes the refused token for the one that
 * the user was given last, and reports it with the next request.
 */
class ReportedTokens {
  #cache;
  #now;
  #users = new RecentMap(MOST_USERS);

  /** @param now the time in ms, of a clock that never goes back. */
  constructor(cache, now = () => performance.now()) {
    this.#cache = cache;
    this.#now = now;
  }

  async accessToken(user) {
    const state = this.#state(user);
    const reported = state.refused;
    const { accessToken } = await this.#get(user, state, reported);
    state.given = fingerprintOf(accessToken);
    if (reported !== undefined && state.refused === reported) {
      state.refused = undefined;
      state.replaced = this.#now();
    }
    return accessToken;
  }

  /** Records that the user's token was refused. */
  refused(user) {
    const state = this.#state(user);
    if (this.#now() - state.replaced >= REPLACEMENT_TIME) state.refused = state.given;
  }

  async #get(user, state, reported) {
    try {
      return await this.#cache.token({ ...user, refusedTokenSha256: reported });
    } catch (error) {
      // A process that may not report tokens still gets them.
      if (error.code === 'forbidden' && state.refused === reported) state.refused = undefined;
      throw error;
    }
  }

  #state(user) {
    const key = JSON.stringify(user);
    const state = this.#users.get(key) ?? { given: undefined, refused: undefined, replaced: -Infinity };
    this.#users.set(key, state);
    return state;
  }
}

module.exports = { ReportedTokens };
