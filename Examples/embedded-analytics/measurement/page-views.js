import { setTimeout as pause } from 'node:timers/promises';

import { Stage } from '../../../Clients/node/test/support/stage.js';
import { cachingBackend, mintingBackend } from './backends.js';

// Compares a mint for each page view with tokens from the cache. Both backends run at the same time under the same
// load, each with a tenant of its own that takes 300 ms for a call and allows 100 calls a minute. Only the time for the
// token of a page view is measured, because all else is the same for both.

const USERS = 200;
/** The mean time for which a user looks at a page, in seconds. Each time is random, as with real users. */
const MEAN_PAUSE = 10;
/** The lengths of the two parts in seconds. In the first one nobody has a token yet. */
const parts = [
  { name: 'first two minutes', from: 0, to: 120 },
  { name: 'next two minutes', from: 120, to: 240 },
];
const SEED = 20_261_124;

const tenantOptions = ['--latency', '300', '--rate-per-minute', '100'];
const begun = performance.now();
const elapsed = () => (performance.now() - begun) / 1_000;

const results = await Promise.all([
  measure('a mint for each view', mintingBackend),
  measure('tokencached', cachingBackend),
]);
console.log(`${USERS} users, a view every ${MEAN_PAUSE} s each; a tenant of 300 ms and 100 calls a minute`);
console.log();
console.log('| backend | part | views/s served | views without a token | p50 | p90 | p99 | longest | calls to the tenant |');
console.log('|---|---|---:|---:|---:|---:|---:|---:|---:|');
for (const row of results.flat()) console.log(row);

async function measure(name, open) {
  const stage = await Stage.open({ rate: 80, tenantOptions });
  const backend = await open(stage);
  const views = [];
  const calls = [0];
  const counted = parts.map(async ({ to }, index) => {
    await pause((to - elapsed()) * 1_000);
    calls[index + 1] = (await stage.control('counters')).calls;
  });
  await Promise.all(Array.from({ length: USERS }, (_, user) => look(backend.url, user, views)));
  await Promise.all(counted);
  await backend.close();
  await stage.close();
  return parts.map((part, index) => row(name, part, views, calls[index + 1] - calls[index]));
}

/** The views of one user, one after another. A refused view is not repeated before the next. */
async function look(url, user, views) {
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

function row(name, part, views, calls) {
  const mine = views.filter(({ since }) => since >= part.from && since < part.to);
  const served = mine.filter(({ isServed }) => isServed);
  const times = served.map(({ took }) => took).sort((one, other) => one - other);
  const quantile = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  const cells = [
    name,
    part.name,
    (served.length / (part.to - part.from)).toFixed(1),
    `${(((mine.length - served.length) / mine.length) * 100).toFixed(1)} %`,
    ...[0.5, 0.9, 0.99, 1].map((share) => `${quantile(share).toFixed(1)} ms`),
    calls,
  ];
  return `| ${cells.join(' | ')} |`;
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
