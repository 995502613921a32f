import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Player, casesOf } from './support/player.js';
import { Stage } from './support/stage.js';
import { PATIENCE, within } from './support/values.js';

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
  else if (step.fill || step.drain) return; // The player's own part is all there is to it.
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
  const calls = Array.from({ length: count }, (_, index) => cache.token({ subject: `user-${index % users}`, timeout: PATIENCE }));
  const tokens = (await Promise.all(calls)).map((token) => token.accessToken);
  assert.deepEqual(tokens, tokens.map((_, index) => tokens[index % users]));
  assert.equal(new Set(tokens).size, users);
}
