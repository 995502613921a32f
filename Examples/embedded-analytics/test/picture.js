import { Stage } from '../../../Clients/node/test/support/stage.js';
import { Backend } from '../stand-in/backend.js';
import { TenantFront } from '../stand-in/tenant-front.js';
import { Browser } from './browser.js';

// Takes a picture of the page that a user sees who was new to the tenant. The argument is the file.

const stage = await Stage.open({ provisioning: true });
const front = await TenantFront.open(stage.tenant);
const backend = await Backend.start('node', { socket: stage.socket, front });
const browser = await Browser.open();
try {
  await browser.visit(backend.url);
  await browser.follow('[value=alice]');
  await browser.until("document.querySelector('qlik-embed').dataset.state === 'ready'");
  await browser.screenshot(process.argv[2]);
} finally {
  await browser.close();
  await backend.stop();
  front.close();
  await stage.close();
}
