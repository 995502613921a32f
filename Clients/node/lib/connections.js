'use strict';

const { connect } = require('node:net');

const { ConnectionAttempts } = require('./connection-attempts.js');
const { Exchange } = require('./exchange.js');
const { TokenCacheError } = require('./token-cache-error.js');

/**
 * The connections to the daemon that all calls share: one, and more when it has too many requests under way. They are
 * made when a call needs them, and again after they have ended. They don't keep the process alive.
 */
class Connections {
  #path;
  #complete;
  #attempts;
  #exchange = new Exchange();
  // The open connections by their sockets, the oldest first.
  #open = new Map();
  #opening;
  #delay;
  #isScheduled = false;
  #isClosed = false;

  /** @param complete a function that is called when a call has ended: `(call, error, answer)`. */
  constructor(path, restartGrace, complete) {
    this.#path = path;
    this.#complete = complete;
    this.#attempts = new ConnectionAttempts(path, restartGrace);
  }

  get isOpen() {
    return this.#open.size > 0;
  }

  add(call) {
    if (this.#isClosed) throw closed();
    if (this.#attempts.isPathInvalid) throw this.#attempts.unreachable();
    this.#exchange.add(call);
    this.#schedule();
  }

  /** True if the call is sent, or is about to be. */
  isTrying(call) {
    return call.pending !== undefined || !(this.isOpen || this.#delay);
  }

  giveUp(call) {
    this.#exchange.giveUp(call);
    this.#schedule();
  }

  /** The error of a call whose timeout has passed. */
  timeoutError() {
    if (this.isOpen) return new TokenCacheError('timeout', 'the daemon did not answer in time');
    return this.#attempts.unreachable();
  }

  /** Closes the connections. Calls that wait fail. Resolves when the sockets are closed. */
  async close() {
    this.#isClosed = true;
    clearTimeout(this.#delay);
    this.#failAll(closed);
    const sockets = [...this.#open.keys(), ...(this.#opening ? [this.#opening] : [])];
    await Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.ref().once('close', resolve).destroy())),
    );
  }

  // The calls of one turn of the event loop are sent in one write.
  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#proceed();
    });
  }

  #proceed() {
    if (this.#isClosed) return;
    for (const [socket, connection] of this.#open) {
      if (this.#exchange.isDispensable(connection)) this.#drop(socket);
      else if (!socket.writableNeedDrain) this.#send(socket, connection);
    }
    if (this.#exchange.needsConnection && !this.#opening && !this.#delay) this.#connect();
  }

  #send(socket, connection) {
    const lines = this.#exchange.send(connection, performance.now());
    if (lines) socket.write(lines);
  }

  #connect() {
    let failure;
    // The path is passed in an object, because a string that looks like a number would be a port.
    const socket = connect({ path: this.#path });
    this.#opening = socket;
    // The timers of waiting calls keep the process alive. The connection needn't.
    socket.unref();
    socket.on('connect', () => {
      this.#opening = undefined;
      this.#attempts.connected();
      this.#open.set(socket, this.#exchange.connected());
      this.#proceed();
    });
    socket.on('drain', () => this.#proceed());
    socket.on('data', (chunk) => this.#receive(socket, chunk));
    socket.on('error', (error) => (failure = error.code));
    socket.on('close', () => this.#ended(socket, failure));
  }

  #receive(socket, chunk) {
    const connection = this.#open.get(socket);
    // Data may still arrive after the connection was dropped.
    if (!connection) return;
    const { completions, isUsable } = this.#exchange.receive(connection, chunk);
    this.#attempts.answered();
    if (!isUsable) {
      this.#drop(socket);
      this.#connectAgain(this.#attempts.disconnected());
    }
    for (const { call, error, answer } of completions) this.#complete(call, error, answer);
    this.#proceed();
  }

  /** Handles the end of a socket: the daemon has closed it, or no connection could be made. */
  #ended(socket, failure) {
    const wasOpen = this.#open.has(socket);
    if (wasOpen) this.#drop(socket);
    else if (this.#opening !== socket) return;
    if (this.#opening === socket) this.#opening = undefined;
    if (this.#isClosed) return;
    const backoff = wasOpen ? this.#attempts.disconnected() : this.#attempts.failed(failure, performance.now());
    // Callers can still be served on the connections that are open.
    if (backoff === undefined && !this.isOpen) this.#failAll(() => this.#attempts.unreachable());
    else this.#connectAgain(backoff ?? ConnectionAttempts.LONGEST_BACKOFF);
  }

  #drop(socket) {
    const connection = this.#open.get(socket);
    this.#open.delete(socket);
    // While the daemon is shutting down, the next one may not be there yet.
    if (connection.pending.isDraining) this.#connectAgain(this.#attempts.disconnected());
    this.#exchange.disconnected(connection);
    socket.destroy();
  }

  #failAll(error) {
    for (const call of this.#exchange.end()) this.#complete(call, error());
  }

  #connectAgain(milliseconds) {
    if (this.#isClosed) return;
    clearTimeout(this.#delay);
    this.#delay = setTimeout(() => {
      this.#delay = undefined;
      this.#proceed();
    }, milliseconds);
    // The timers of waiting calls keep the process alive.
    this.#delay.unref();
  }
}

function closed() {
  return new TokenCacheError('closed', 'the client was closed');
}

module.exports = { Connections };
