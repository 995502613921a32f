'use strict';

const { fingerprintOf } = require('./fingerprints.js');
const { DEFAULT_TIMEOUT } = require('./operations.js');
const { RecentMap } = require('./recent-map.js');
const { TokenCacheError } = require('./token-cache-error.js');

/** Each takes up to about 1 KiB: a subject, and a fingerprint of the rest. */
const MOST_USERS = 10_000;
/**
 * The time in ms for which a user whom the tenant denies a token right after provisioning isn't provisioned again.
 * Provisioning makes the daemon forget the denial, so otherwise each page view of that user would cost a call.
 */
const PAUSE_AFTER_DENIAL = 60_000;

/** Gets tokens of users who may not exist at the tenant yet, and remembers who was provisioned in this process. */
class ProvisionedUsers {
  #cache;
  #now;
  // By tenant and subject, with the content of the latest provision.
  #users = new RecentMap(MOST_USERS);
  // By tenant, subject and content, until the provision ends.
  #underWay = new Map();

  /** @param now the time in ms, of a clock that never goes back. */
  constructor(cache, now = () => performance.now()) {
    this.#cache = cache;
    this.#now = now;
  }

  /**
   * Gets a token. A user with a name, an e-mail address or groups is provisioned first, unless that has been done. It is
   * done once more if the tenant denies the token.
   */
  async token({ name, email, groups, ...wanted }) {
    if ([name, email, groups].every((each) => each === undefined || each === null)) return this.#cache.token(wanted);
    if (wanted.subject === undefined || wanted.subject === null) {
      throw new TokenCacheError('invalid_request', "a user with 'name', 'email' or 'groups' needs a 'subject'");
    }
    wanted.signal?.throwIfAborted();
    const profile = { subject: wanted.subject, name, email, groups, tenant: wanted.tenant };
    return this.#tokenOf(profile, wanted, this.#timer(wanted.timeout), true);
  }

  async #tokenOf(profile, wanted, timeLeft, mayRepeat) {
    const known = this.#find(profile);
    const wasProvisioned = known?.isProvisioned === true;
    const user = known ?? this.#provision(profile, timeLeft());
    await unlessAborted(user.provisioned, wanted.signal);
    try {
      return await this.#cache.token({ ...wanted, timeout: timeLeft() });
    } catch (error) {
      if (error.code !== 'denied') throw error;
      if (!wasProvisioned) user.pauseEnds = this.#now() + PAUSE_AFTER_DENIAL;
      if (!mayRepeat || this.#now() < user.pauseEnds) throw error;
      // The user may have been deleted since.
      this.#users.delete(keyOf(profile), user);
      return this.#tokenOf(profile, wanted, timeLeft, false);
    }
  }

  /** The user with this profile, if they were provisioned with it or are being so. */
  #find(profile) {
    const content = contentOf(profile);
    const user = this.#users.get(keyOf(profile));
    return user?.content === content ? user : this.#underWay.get(keyOf(profile) + content);
  }

  /** Provisions the user for all who ask meanwhile. So it goes on when one of them doesn't wait any more. */
  #provision(profile, timeout) {
    const key = keyOf(profile);
    const user = { content: contentOf(profile), isProvisioned: false, pauseEnds: 0 };
    this.#users.set(key, user);
    this.#underWay.set(key + user.content, user);
    user.provisioned = this.#cache
      .provision({ ...profile, timeout })
      .then(
        () => void (user.isProvisioned = true),
        (error) => {
          this.#users.delete(key, user);
          throw error;
        },
      )
      .finally(() => this.#underWay.delete(key + user.content));
    return user;
  }

  /** A function that returns what is left of the timeout, in seconds. */
  #timer(timeout) {
    const given = timeout ?? DEFAULT_TIMEOUT;
    const start = this.#now();
    // Another value is wrong, which the client finds.
    return () => (Number.isFinite(given) && given > 0 ? Math.max(0, given - (this.#now() - start) / 1_000) : given);
  }
}

function keyOf({ tenant, subject }) {
  return JSON.stringify([tenant, subject]);
}

/** A fingerprint of what the tenant is to know of a user, so that no name is kept in memory. */
function contentOf({ name, email, groups }) {
  const sorted = Array.isArray(groups) ? [...new Set(groups)].sort() : groups;
  return fingerprintOf(JSON.stringify([name, email, sorted]));
}

/** The promise's result, unless the signal is aborted first. */
function unlessAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal?.removeEventListener('abort', abort));
  });
}

module.exports = { ProvisionedUsers };
