import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Player, casesOf } from './support/player.js';
import { Stage } from './support/stage.js';
import { TIMEOUT, within } from './support/values.js';

for (const exchange of casesOf('daemon.json')) {
  test(`real daemon: ${exchange.name}`, async () => {
    const stage = await Stage.open();
    const player = new Player(stage.socket, (step, player) => play(step, stage, player.cache));
    try {
      await player.play(exchange);
    } finally {
      await player.cache.close();
      await stage.close();
    }
  });
}

async function play(step, stage, cache) {
  if (step.tenant) await stage.control(step.tenant, step.body);
  else if (step.counter) await stage.counter(step.counter, step.is);
  else if (step.daemon) await daemonSteps[step.daemon](stage);
  else if (step.fill || step.drain) return; // The player does all that these steps need.
  else if (step.crowd) await crowd(step, cache);
  else throw new Error('there is no such step');
}

const daemonSteps = {
  kill: (stage) => stage.end('SIGKILL'),
  terminate: (stage) => stage.daemon.kill('SIGTERM'),
  await_end: (stage) => within(stage.ended(), 'the end of the daemon'),
  start: (stage) => stage.start(),
  suspend: (stage) => stage.suspend(),
  resume: (stage) => stage.daemon.kill('SIGCONT'),
};

async function crowd({ crowd: count, users }, cache) {
  const subjects = Array.from({ length: count }, (_, index) => `user-${index % users}`);
  const calls = subjects.map((subject) => cache.token({ subject, timeout: TIMEOUT }));
  const tokens = (await Promise.all(calls)).map((token) => token.accessToken);
  assert.deepEqual(tokens, tokens.map((_, index) => tokens[index % users]));
  assert.equal(new Set(tokens).size, users);
}
