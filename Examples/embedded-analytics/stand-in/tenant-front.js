import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

/**
 * The part of the stand-in tenant for browsers: its API for pages of other origins (the stand-in itself serves only
 * daemons), and the stand-in for the vendor's script.
 */
export class TenantFront {
  /** The requests to the API that carried a token, with the statuses of their responses. */
  requests = [];
  #tenant;
  #server;

  static async open(tenant) {
    const front = new TenantFront();
    front.#tenant = tenant;
    front.#server = createServer((request, response) => front.#answer(request, response));
    await once(front.#server.listen(0, '127.0.0.1'), 'listening');
    front.url = `http://127.0.0.1:${front.#server.address().port}`;
    return front;
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections?.();
  }

  async #answer(request, response) {
    response.setHeader('access-control-allow-origin', request.headers.origin ?? '*');
    if (request.method === 'OPTIONS') {
      response.writeHead(204, { 'access-control-allow-headers': 'authorization' }).end();
    } else if (request.url === '/qlik-embed.js') {
      const script = await readFile(new URL('qlik-embed.js', import.meta.url));
      response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(script);
    } else {
      const { authorization = '' } = request.headers;
      const answer = await fetch(this.#tenant + request.url, { headers: { authorization } });
      this.requests.push({ token: authorization.replace('Bearer ', ''), status: answer.status });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    }
  }
}
