import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { TokenCache } from '../../index.mjs';
import { TIMEOUT, resolve, expectMembers, within } from './values.js';

const suite = new URL('../../../conformance/', import.meta.url);
const optionNames = {
  user_id: 'userId',
  user_ids: 'userIds',
  min_ttl: 'minTtl',
  no_cache: 'noCache',
  access_token: 'accessToken',
  token_sha256: 'tokenSha256',
  refused_token: 'refusedToken',
  refused_token_sha256: 'refusedTokenSha256',
};

export function casesOf(file) {
  return JSON.parse(readFileSync(new URL(file, suite), 'utf8')).cases;
}

/** Plays the steps that both files have. `others` plays those of one file. */
export class Player {
  calls = new Map();
  filling = [];

  constructor(path, others, restartGrace = TIMEOUT) {
    this.cache = new TokenCache({ path, restartGrace });
    this.others = others;
  }

  async play({ steps }) {
    for (const [index, step] of steps.entries()) {
      try {
        await this.#play(step);
      } catch (error) {
        error.message = `step ${index + 1}, ${JSON.stringify(step)}: ${error.message}`;
        throw error;
      }
    }
  }

  tokenOf = (name) => this.calls.get(name).answer.accessToken;

  async #play(step) {
    const [verb] = Object.keys(step);
    const own = {
      call: this.#call,
      answer: this.#answer,
      error: this.#error,
      cancelled: this.#cancelled,
      fill: this.#fill,
      drain: this.#drain,
    };
    if (own[verb]) return own[verb].call(this, step);
    if (verb === 'cancel') return this.calls.get(step.cancel).controller.abort();
    if (verb === 'cancel_filled') return this.filling.forEach(({ controller }) => controller.abort());
    if (verb === 'close') return this.cache.close();
    await this.others(step, this);
  }

  #call({ call: name, operation, arguments: given }) {
    const controller = new AbortController();
    const options = { signal: controller.signal };
    for (const [member, value] of Object.entries(given)) {
      options[optionNames[member] ?? member] = resolve(value, this.tokenOf);
    }
    const call = { operation, given, controller, hasEnded: false };
    call.end = this.cache[operation](options).then(
      (answer) => Object.assign(call, { answer, hasEnded: true }),
      (error) => Object.assign(call, { error, hasEnded: true }),
    );
    this.calls.set(name, call);
  }

  async #fill(step) {
    this.filling = Array.from({ length: step.fill }, (_, index) => {
      const controller = new AbortController();
      const options = { subject: `waiting-${index}`, timeout: TIMEOUT, signal: controller.signal };
      const end = this.cache.token(options);
      end.catch(() => {});
      return { controller, end };
    });
    await this.others(step, this);
  }

  async #drain(step) {
    await this.others(step, this);
    await within(Promise.all(this.filling.map(({ end }) => end)), 'all calls');
  }

  async #ended(name) {
    return within(this.calls.get(name).end, `the end of ${name}`);
  }

  async #answer({ answer: name, is }) {
    const { operation, answer, error } = await this.#ended(name);
    assert.equal(error, undefined);
    expectMembers(operation === 'token' ? tokenMembers(answer) : wireNames(answer), is, this.tokenOf);
  }

  async #error({ error: name, is }) {
    const { error } = await this.#ended(name);
    assert.equal(error?.name, 'TokenCacheError');
    assert.ok(!/secret/.test(`${error.stack} ${error.cause}`), 'an error shows a token');
    expectMembers(wireNames(error), is, this.tokenOf);
  }

  async #cancelled({ cancelled: name }) {
    const { error } = await this.#ended(name);
    assert.equal(error?.name, 'AbortError');
  }
}

function tokenMembers(token) {
  return {
    ...wireNames(token),
    access_token: token.accessToken,
    expires_at: token.expiresAt.toISOString().replace('.000Z', 'Z'),
  };
}

export function wireNames(object) {
  const names = ['code', 'description', 'upstream', 'retryAfter'];
  const entries = [...Object.entries(object), ...names.map((name) => [name, object[name]])];
  return Object.fromEntries(
    entries.map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  );
}
