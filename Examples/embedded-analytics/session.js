import { randomBytes } from 'node:crypto';

/** The time for which a user stays signed in, in seconds. */
const LIFETIME = 8 * 3_600;
const NAME = 'session';

/**
 * The sessions of signed-in users. The cookie only names a session, so a copy of it is useless when the session has
 * ended.
 */
export class Sessions {
  #attributes;
  // By the value of the cookie, the oldest first.
  #sessions = new Map();

  constructor(isSecure) {
    // Lax: a page of another site can't send the cookie with a POST. HttpOnly: no script can read it.
    this.#attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
  }

  /** The value of `set-cookie` that signs a user in. */
  start(user, now = Date.now()) {
    this.#forgetPast(now);
    const id = randomBytes(32).toString('hex');
    this.#sessions.set(id, { user, until: now + LIFETIME * 1_000 });
    return `${NAME}=${id}; Max-Age=${LIFETIME}; ${this.#attributes}`;
  }

  /** Ends the session of the request's `cookie`, and returns the value of `set-cookie` that signs out. */
  end(cookies) {
    this.#sessions.delete(idIn(cookies));
    return `${NAME}=; Max-Age=0; ${this.#attributes}`;
  }

  /** The user of the session that the request's `cookie` names, or undefined. */
  user(cookies, now = Date.now()) {
    const session = this.#sessions.get(idIn(cookies));
    return session && now < session.until ? session.user : undefined;
  }

  #forgetPast(now) {
    for (const [id, { until }] of this.#sessions) {
      if (now < until) return;
      this.#sessions.delete(id);
    }
  }
}

function idIn(cookies = '') {
  return cookies
    .split(/; */)
    .find((each) => each.startsWith(`${NAME}=`))
    ?.slice(NAME.length + 1);
}
