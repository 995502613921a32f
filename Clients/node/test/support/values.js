import assert from 'node:assert/strict';

// The suite's values: what stands for a text or a token, and how an expectation is held against what came.

/** What a value of the suite stands for; `tokenOf` knows the tokens that calls were given. */
export function resolve(value, tokenOf = () => undefined) {
  if (Array.isArray(value)) return value.map((each) => resolve(each, tokenOf));
  if (typeof value !== 'object' || value === null) return value;
  if ('times' in value) return value.text.repeat(value.times);
  if ('token_of' in value) return tokenOf(value.token_of);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolve(each, tokenOf)]));
}

/** Holds the members that an expectation names against those that came. */
export function expectMembers(actual, expected, tokenOf) {
  for (const [name, value] of Object.entries(expected)) {
    if (isRange(value)) {
      assert.ok(actual[name] >= value.from && actual[name] <= value.to, `${name} is ${actual[name]}`);
    } else {
      assert.deepEqual(withNulls(actual[name] ?? null), resolve(value, tokenOf), name);
    }
  }
}

/** The suite has null for what is lacking. */
function withNulls(value) {
  return JSON.parse(JSON.stringify(value, (_, each) => each ?? null));
}

function isRange(value) {
  return typeof value === 'object' && value !== null && 'from' in value;
}

/** How long what has to come is waited for, in seconds: more than a busy machine needs. */
export const PATIENCE = 60;

/** Resolves with the promise, or fails when it takes too long. */
export async function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), PATIENCE * 1_000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
