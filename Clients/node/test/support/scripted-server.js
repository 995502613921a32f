import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';

/** A server on a Unix socket whose connections the test accepts, reads, writes and closes. */
export class ScriptedServer {
  #path;
  #server;
  #connections = [];
  #waiting = [];
  #open = new Set();

  constructor(path) {
    this.#path = path;
  }

  async listen() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const connection = new ScriptedConnection(socket);
      this.#open.add(socket);
      socket.on('close', () => this.#open.delete(socket));
      const taker = this.#waiting.shift();
      if (taker) taker(connection);
      else this.#connections.push(connection);
    });
    this.#server.listen(this.#path);
    await once(this.#server, 'listening');
  }

  /** Removes the socket. Connections stay open. */
  async unlisten() {
    this.#server?.close();
    this.#server = undefined;
    await rm(this.#path, { force: true });
  }

  async accept() {
    return this.#connections.shift() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  async stop() {
    await this.unlisten();
    for (const socket of this.#open) socket.destroy();
  }
}

class ScriptedConnection {
  #socket;
  #lines = [];
  #waiting = [];
  #rest = '';

  constructor(socket) {
    this.#socket = socket;
    this.ended = new Promise((resolve) => socket.on('end', resolve).on('close', resolve));
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('data', (text) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop();
      for (const line of lines) {
        const taker = this.#waiting.shift();
        if (taker) taker(line);
        else this.#lines.push(line);
      }
    });
  }

  get hasLine() {
    return this.#lines.length > 0;
  }

  async line() {
    return this.#lines.shift() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  send(bytes) {
    return new Promise((resolve) => this.#socket.write(bytes, resolve));
  }

  /** Sends each byte in a write of its own, and lets the client read it before the next. */
  async sendBytes(text) {
    for (const byte of Buffer.from(text)) {
      await this.send(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  hangUp() {
    this.#socket.destroy();
  }
}
