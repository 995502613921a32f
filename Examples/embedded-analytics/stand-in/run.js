import { Stage } from '../../../Clients/node/test/support/stage.js';
import { Backend } from './backend.js';
import { TenantFront } from './tenant-front.js';

// Runs a stand-in tenant, the daemon and a backend until Ctrl-C: `make example`. The argument names the backend: node
// or python.

const kind = process.argv[2] ?? 'node';
const stage = await Stage.open({ tenantOptions: ['--latency', '300'], provisioning: true });
const front = await TenantFront.open(stage.tenant);
const backend = await Backend.start(kind, { socket: stage.socket, front, port: process.env.PORT ?? 0 });
console.log(`The ${kind} backend is at ${backend.url}; Ctrl-C ends it.`);

await new Promise((resolve) => {
  process.once('SIGINT', resolve);
  process.once('SIGTERM', resolve);
  backend.process.once('exit', resolve);
});
await backend.stop();
front.close();
await stage.close();
