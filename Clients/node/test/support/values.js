import assert from 'node:assert/strict';

// The values of the suite, their comparison with results, and a wait with an end.

/** The value that one of the suite stands for. `tokenOf` returns the token that a call has got. */
export function resolve(value, tokenOf = () => undefined) {
  if (Array.isArray(value)) return value.map((each) => resolve(each, tokenOf));
  if (typeof value !== 'object' || value === null) return value;
  if ('times' in value) return value.text.repeat(value.times);
  if ('token_of' in value) return tokenOf(value.token_of);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolve(each, tokenOf)]));
}

/** Compares the members of an expectation with those of a result. */
export function expectMembers(actual, expected, tokenOf) {
  for (const [name, value] of Object.entries(expected)) {
    if (isRange(value)) {
      assert.ok(actual[name] >= value.from && actual[name] <= value.to, `${name} is ${actual[name]}`);
    } else {
      assert.deepEqual(withNulls(actual[name] ?? null), resolve(value, tokenOf), name);
    }
  }
}

/** The value with null for what is undefined, as in the suite. */
function withNulls(value) {
  return JSON.parse(JSON.stringify(value, (_, each) => each ?? null));
}

function isRange(value) {
  return typeof value === 'object' && value !== null && 'from' in value;
}

/** The time in seconds after which a wait of a test fails: more than a busy machine needs. */
export const TIMEOUT = 60;

/** Waits for the promise, and fails if that takes too long. */
export async function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), TIMEOUT * 1_000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
