import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { TokenCache } from '../../../Clients/node/index.mjs';
import { Stage } from '../../../Clients/node/test/support/stage.js';
import { Backend } from '../stand-in/backend.js';
import { TenantFront } from '../stand-in/tenant-front.js';
import { Browser } from './browser.js';

const screenshots = process.env.SCREENSHOTS;
const chart = "document.querySelector('qlik-embed').dataset.state";
const askForToken = `fetch('/access-token', { method: 'POST' }).then((response) => response.status)`;
const chartText = "document.querySelector('qlik-embed').shadowRoot.getElementById('subject').textContent";
const subjectOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).sub;

for (const kind of ['node', 'python']) {
  test(`the example in a browser, with the ${kind} backend`, async (t) => {
    await mkdir(screenshots, { recursive: true });
    const stage = await Stage.open({ provisioning: true });
    const front = await TenantFront.open(stage.tenant);
    const backend = await Backend.start(kind, { socket: stage.socket, front, tokenTimeout: 0.5 });
    const cache = new TokenCache({ path: stage.socket });
    const browser = await Browser.open();
    const picture = (name) => browser.screenshot(join(screenshots, `${kind}-${name}.png`));
    const cached = async (subject) => (await cache.token({ subject })).accessToken;
    const mints = async () => {
      const keys = (await stage.control('counters')).by_key.filter(({ field }) => field === 'subject');
      return keys.reduce((sum, key) => sum + key.mints, 0);
    };
    const users = async () =>
      (await stage.control('users')).map(({ subject, name, email, status, groups }) => [
        subject, name, email, status, ...groups.map((group) => group.name),
      ]);
    const alice = ['auth0|alice', 'Alice Archer', 'alice@shop.example', 'active', 'portal-emea'];
    const bob = ['auth0|bob', 'Bob Baker', 'bob@shop.example', 'active', 'portal-apac'];

    try {
      await t.test('a visitor who is not signed in sees the login page and gets no token', async () => {
        await browser.visit(backend.url);
        assert.equal(await browser.evaluate('location.pathname'), '/login');
        assert.equal(await browser.evaluate(askForToken), 401);
        await picture('login');
      });

      await t.test('a user who is new to the tenant signs in, exists there with the right group, and sees the chart', async () => {
        assert.deepEqual(await users(), []);
        await browser.follow('[value=alice]');
        await browser.until(`${chart} === 'ready'`);
        assert.deepEqual(await users(), [alice]);
        assert.equal(await browser.evaluate(chartText), 'as seen by auth0|alice in portal-emea');
        await picture('signed-in');
      });

      await t.test("the chart's request carries the user's own token", async () => {
        assert.equal(await browser.evaluate("document.getElementById('user').textContent"), 'Alice Archer');
        assert.deepEqual(front.requests, [{ token: await cached('auth0|alice'), status: 200 }]);
        assert.equal(subjectOf(front.requests[0].token), 'auth0|alice');
        assert.equal(await browser.evaluate('document.cookie'), '');
      });

      await t.test('after signing out there is no token', async () => {
        await browser.follow('#logout');
        assert.equal(await browser.evaluate('location.pathname'), '/login');
        assert.equal(await browser.evaluate(askForToken), 401);
      });

      await t.test('a second user has another token', async () => {
        await browser.follow('[value=bob]');
        await browser.until(`${chart} === 'ready'`);
        assert.deepEqual(front.requests.slice(1), [{ token: await cached('auth0|bob'), status: 200 }]);
        assert.equal(subjectOf(front.requests[1].token), 'auth0|bob');
        assert.equal(await mints(), 2);
        assert.deepEqual(await users(), [alice, bob]);
      });

      await t.test('after the tenant has revoked the token, the page recovers with one more mint', async () => {
        await stage.control('revoke', { token: front.requests[1].token });
        await browser.click('qlik-embed');
        await browser.until(`${chart} === 'ready'`);
        assert.deepEqual(front.requests.slice(2).map(({ status }) => status), [401, 200]);
        assert.equal(subjectOf(front.requests[3].token), 'auth0|bob');
        assert.notEqual(front.requests[3].token, front.requests[1].token);
        assert.equal(await mints(), 3);
      });

      await t.test('a user who signs in again is the same one at the tenant, without another call for it', async () => {
        const { tiers } = await stage.control('counters');
        const seen = front.requests.length;
        await browser.follow('#logout');
        await browser.follow('[value=bob]');
        await browser.until(`${chart} === 'ready'`);
        assert.deepEqual(await users(), [alice, bob]);
        // The only calls of the API are those of the page.
        assert.equal((await stage.control('counters')).tiers[1].calls - tiers[1].calls, front.requests.length - seen);
        assert.deepEqual(await stage.control('violations'), []);
      });

      await t.test('without the daemon the page shows the error that the backend sent', async () => {
        await stage.end();
        await browser.visit(backend.url);
        await browser.until("!document.getElementById('problem').hidden");
        const reason = await browser.evaluate("document.getElementById('reason').textContent");
        assert.match(reason, /no access token is available now \(unreachable\)\. The next attempt is in 5 s/);
        assert.notEqual(await browser.evaluate(chart), 'ready');
        await picture('error');
      });

      await t.test('the page recovers when the daemon is back', async () => {
        await stage.start();
        await browser.click('#again');
        await browser.until(`${chart} === 'ready'`);
        assert.equal(await browser.evaluate("document.getElementById('problem').hidden"), true);
        assert.equal(front.requests.at(-1).token, await cached('auth0|bob'));
        await picture('recovered');
      });
      await t.test('after an error that waiting does not fix, the page asks again only at a click', async () => {
        await browser.evaluate(`window.fetch = async () => new Response('no access token can be given (forbidden)', { status: 403 })`);
        await browser.evaluate('void getAccessToken()');
        await browser.until("!document.getElementById('problem').hidden");
        const reason = await browser.evaluate("document.getElementById('reason').textContent");
        assert.equal(reason, "The analytics can't be shown: no access token can be given (forbidden).");
        assert.equal(await browser.evaluate("document.getElementById('again').hidden"), false);
      });
    } finally {
      await browser.close();
      await cache.close();
      await backend.stop();
      front.close();
      await stage.close();
    }
  });
}
