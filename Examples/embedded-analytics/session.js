import { createHmac, timingSafeEqual } from 'node:crypto';

/** How long somebody stays signed in, in seconds. */
const LIFETIME = 8 * 3_600;
const NAME = 'session';

/** Who is signed in, kept in a cookie that only this backend can have written. */
export class Sessions {
  #secret;
  #attributes;

  constructor(secret, isSecure) {
    this.#secret = secret;
    // Lax: another site's page can't send it along with a POST. HttpOnly: no script can read it.
    this.#attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
  }

  /** The value of `set-cookie` that signs a user in. */
  start(user, now = Date.now()) {
    const content = Buffer.from(JSON.stringify({ user, until: now + LIFETIME * 1_000 })).toString('base64url');
    return `${NAME}=${content}.${this.#sign(content)}; Max-Age=${LIFETIME}; ${this.#attributes}`;
  }

  /** The value of `set-cookie` that signs out. */
  end() {
    return `${NAME}=; Max-Age=0; ${this.#attributes}`;
  }

  /** Who is signed in, by the request's `cookie`; undefined: nobody. */
  user(cookies = '', now = Date.now()) {
    const cookie = cookies.split(/; */).find((each) => each.startsWith(`${NAME}=`));
    const [content, signature] = cookie?.slice(NAME.length + 1).split('.') ?? [];
    if (!content || !signature) return undefined;
    const [given, right] = [signature, this.#sign(content)].map((text) => Buffer.from(text));
    // A comparison that takes the same time wherever the first difference is.
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    const { user, until } = JSON.parse(Buffer.from(content, 'base64url').toString());
    return now < until ? user : undefined;
  }

  #sign(content) {
    return createHmac('sha256', this.#secret).update(content).digest('base64url');
  }
}
