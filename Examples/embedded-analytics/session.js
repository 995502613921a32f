import { randomBytes } from 'node:crypto';

/** How long somebody stays signed in, in seconds. */
const LIFETIME = 8 * 3_600;
const NAME = 'session';

/** Who is signed in. The cookie names a session, which ends here: a copy of the cookie is worth nothing after that. */
export class Sessions {
  #attributes;
  // By the cookie's value; the oldest first.
  #sessions = new Map();

  constructor(isSecure) {
    // Lax: another site's page can't send it along with a POST. HttpOnly: no script can read it.
    this.#attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
  }

  /** The value of `set-cookie` that signs a user in. */
  start(user, now = Date.now()) {
    this.#forgetPast(now);
    const id = randomBytes(32).toString('hex');
    this.#sessions.set(id, { user, until: now + LIFETIME * 1_000 });
    return `${NAME}=${id}; Max-Age=${LIFETIME}; ${this.#attributes}`;
  }

  /** Ends the session of the request's `cookie`; the value of `set-cookie` that signs out. */
  end(cookies) {
    this.#sessions.delete(idIn(cookies));
    return `${NAME}=; Max-Age=0; ${this.#attributes}`;
  }

  /** Who is signed in, by the request's `cookie`; undefined: nobody. */
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
