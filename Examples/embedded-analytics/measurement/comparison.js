import { setTimeout as pause } from 'node:timers/promises';

import { Stage } from '../../../Clients/node/test/support/stage.js';

// Compares backends under the same load at the same time, each with a tenant of its own that has the vendor's limits.
// Only the time for the token of a page view is measured, because all else is the same for all of them.

const USERS = 200;
/** The mean time for which a user looks at a page, in seconds. Each time is random, as with real users. */
const MEAN_PAUSE = 10;
/** The lengths of the two parts in seconds. In the first one nobody has a token yet. */
const parts = [
  { name: 'first two minutes', from: 0, to: 120 },
  { name: 'next two minutes', from: 120, to: 240 },
];
const SEED = 20_261_124;
/** The tenant's latency in ms, and its calls a minute in tier 2 (tokens) and tier 1 (the API). */
const [LATENCY, TOKENS, API] = [300, 100, 1_000];
const tenantOptions = ['--latency', LATENCY, '--rate-per-minute', TOKENS, '--api-rate-per-minute', API].map(String);

/**
 * Prints a table with the views of each backend.
 *
 * `backends` are pairs of a name and a function that opens a backend on a stage, `calls` are pairs of a heading and a
 * function that takes a number of calls from the tenant's counters.
 */
export async function compare({ backends, calls, stageOptions = {} }) {
  const begun = performance.now();
  const elapsed = () => (performance.now() - begun) / 1_000;
  const measured = backends.map(([name, open]) => measure(name, open, calls, stageOptions, elapsed));
  const rows = (await Promise.all(measured)).flat();
  const headings = ['backend', 'part', 'views/s served', 'views without a token', 'p50', 'p90', 'p99', 'longest',
    ...calls.map(([heading]) => heading)];
  console.log(`${USERS} users, a view every ${MEAN_PAUSE} s each; a tenant of ${LATENCY} ms, ` +
    `${TOKENS} calls a minute in tier 2 and ${API} in tier 1\n`);
  console.log(`| ${headings.join(' | ')} |`);
  console.log(`|---|---|${'---:|'.repeat(headings.length - 2)}`);
  for (const cells of rows) console.log(`| ${cells.join(' | ')} |`);
}

async function measure(name, open, calls, stageOptions, elapsed) {
  const stage = await Stage.open({ rate: 80, apiRate: 800, tenantOptions, ...stageOptions });
  const backend = await open(stage);
  const views = [];
  const counted = [calls.map(() => 0)];
  const counting = parts.map(async ({ to }, index) => {
    await pause((to - elapsed()) * 1_000);
    const counters = await stage.control('counters');
    counted[index + 1] = calls.map(([, take]) => take(counters));
  });
  await Promise.all(Array.from({ length: USERS }, (_, user) => look(backend.url, user, views, elapsed)));
  await Promise.all(counting);
  const violations = await stage.control('violations');
  await backend.close();
  await stage.close();
  if (violations.length > 0) throw new Error(`${name} breaks the contract: ${violations[0]}`);
  return parts.map((part, index) => {
    const differences = counted[index + 1].map((count, column) => count - counted[index][column]);
    return [name, ...cells(part, views), ...differences];
  });
}

/** The views of one user, one after another. A refused view is not repeated before the next. */
async function look(url, user, views, elapsed) {
  const random = generator(SEED + user);
  for (;;) {
    const since = elapsed() - Math.log(1 - random()) * MEAN_PAUSE;
    if (since >= parts.at(-1).to) return;
    await pause((since - elapsed()) * 1_000);
    const asked = performance.now();
    const response = await fetch(url, { method: 'POST', headers: { 'x-user': `user-${user}` } });
    await response.text();
    views.push({ since, isServed: response.ok, took: performance.now() - asked });
  }
}

function cells(part, views) {
  const mine = views.filter(({ since }) => since >= part.from && since < part.to);
  const served = mine.filter(({ isServed }) => isServed);
  const times = served.map(({ took }) => took).sort((one, other) => one - other);
  const quantile = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN;
  return [
    part.name,
    (served.length / (part.to - part.from)).toFixed(1),
    `${(((mine.length - served.length) / mine.length) * 100).toFixed(1)} %`,
    ...[0.5, 0.9, 0.99, 1].map((share) => `${quantile(share).toFixed(1)} ms`),
  ];
}

/** Mulberry32: the same random numbers, and so nearly the same views, in each run. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
