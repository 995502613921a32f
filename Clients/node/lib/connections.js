'use strict';

const { connect } = require('node:net');

const { Attempts } = require('./attempts.js');
const { Exchange } = require('./exchange.js');
const { TokenCacheError } = require('./token-cache-error.js');

/**
 * The connections to the daemon that all calls share: one, and more where that has too many requests under way. They are
 * made when a call needs them and made again after they ended; while nobody calls, they don't keep the process alive.
 */
class Connections {
  #path;
  #settle;
  #attempts;
  #exchange = new Exchange();
  // The open ones, by socket; the oldest first.
  #links = new Map();
  #opening;
  #pause;
  #isScheduled = false;
  #isClosed = false;

  /** @param settle is told what came of a call: `(call, error, answer)`. */
  constructor(path, restartGrace, settle) {
    this.#path = path;
    this.#settle = settle;
    this.#attempts = new Attempts(path, restartGrace);
  }

  get isOpen() {
    return this.#links.size > 0;
  }

  ask(call) {
    if (this.#isClosed) throw closed();
    if (this.#attempts.isHopeless) throw this.#attempts.unreachable();
    this.#exchange.add(call);
    this.#schedule();
  }

  /** Whether the daemon has been asked this, or is about to be. */
  isTrying(call) {
    return call.conversation !== undefined || !(this.isOpen || this.#pause);
  }

  giveUp(call) {
    this.#exchange.giveUp(call);
    this.#schedule();
  }

  /** The error of a call whose time has passed. */
  late() {
    if (this.isOpen) return new TokenCacheError('timeout', 'the daemon did not answer in time');
    return this.#attempts.unreachable();
  }

  /** Ends the connections; calls that wait fail. Resolves when the sockets are closed. */
  async close() {
    this.#isClosed = true;
    clearTimeout(this.#pause);
    this.#fail(closed);
    const sockets = [...this.#links.keys(), ...(this.#opening ? [this.#opening] : [])];
    await Promise.all(
      sockets.map((socket) => new Promise((resolve) => socket.ref().once('close', resolve).destroy())),
    );
  }

  // The calls of one turn of the event loop go in one write.
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
    for (const [socket, conversation] of this.#links) {
      if (this.#exchange.isDispensable(conversation)) this.#drop(socket);
      else if (!socket.writableNeedDrain) this.#send(socket, conversation);
    }
    if (this.#exchange.wantsConnection && !this.#opening && !this.#pause) this.#connect();
  }

  #send(socket, conversation) {
    const lines = this.#exchange.take(conversation, performance.now());
    if (lines) socket.write(lines);
  }

  #connect() {
    let failure;
    // As an object: a text that looks like a number would be a port.
    const socket = connect({ path: this.#path });
    this.#opening = socket;
    // Calls that wait have timers, which keep the process alive; the connection needn't.
    socket.unref();
    socket.on('connect', () => {
      this.#opening = undefined;
      this.#attempts.connected();
      this.#links.set(socket, this.#exchange.connected());
      this.#proceed();
    });
    socket.on('drain', () => this.#proceed());
    socket.on('data', (chunk) => this.#receive(socket, chunk));
    socket.on('error', (error) => (failure = error.code));
    socket.on('close', () => this.#ended(socket, failure));
  }

  #receive(socket, chunk) {
    const conversation = this.#links.get(socket);
    // What closing the connection left behind.
    if (!conversation) return;
    const { ended, isUseful } = this.#exchange.receive(conversation, chunk);
    this.#attempts.answered();
    if (!isUseful) {
      this.#drop(socket);
      this.#wait(this.#attempts.hungUp());
    }
    for (const { call, error, answer } of ended) this.#settle(call, error, answer);
    this.#proceed();
  }

  /** The socket is closed, because the daemon did so or no connection could be made. */
  #ended(socket, failure) {
    const wasOpen = this.#links.has(socket);
    if (wasOpen) this.#drop(socket);
    else if (this.#opening !== socket) return;
    if (this.#opening === socket) this.#opening = undefined;
    if (this.#isClosed) return;
    const pause = wasOpen ? this.#attempts.hungUp() : this.#attempts.failed(failure, performance.now());
    // While others are open, those who wait have them to wait for.
    if (pause === undefined && !this.isOpen) this.#fail(() => this.#attempts.unreachable());
    else this.#wait(pause ?? Attempts.LONGEST_PAUSE);
  }

  #drop(socket) {
    const conversation = this.#links.get(socket);
    this.#links.delete(socket);
    if (conversation.isDraining) this.#wait(this.#attempts.hungUp());
    this.#exchange.disconnected(conversation);
    socket.destroy();
  }

  #fail(error) {
    for (const call of this.#exchange.end()) this.#settle(call, error());
  }

  #wait(milliseconds) {
    if (this.#isClosed) return;
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#proceed();
    }, milliseconds);
    // Calls that wait have timers of their own.
    this.#pause.unref();
  }
}

function closed() {
  return new TokenCacheError('closed', 'the client was closed');
}

module.exports = { Connections };
