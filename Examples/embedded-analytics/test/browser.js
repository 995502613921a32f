import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TIMEOUT = 20_000;

/** Chromium without a window, with one page, controlled by the DevTools protocol through two pipes. */
export class Browser {
  #process;
  #directory;
  #session;
  #lastId = 0;
  #rest = '';
  #replies = new Map();
  #listeners = new Map();

  static async open() {
    const browser = new Browser();
    browser.#directory = await mkdtemp(join(tmpdir(), 'browser-'));
    const options = ['--headless=new', '--remote-debugging-pipe', `--user-data-dir=${browser.#directory}`,
      '--no-first-run', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server', '--window-size=1100,760'];
    // Chromium's sandbox doesn't work for root, as in a container. Only pages of this test are loaded.
    if (process.getuid() === 0) options.push('--no-sandbox');
    browser.#process = spawn('chromium', options, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    browser.#process.stdio[4].setEncoding('utf8').on('data', (text) => browser.#read(text));
    const { targetId } = await browser.#send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await browser.#send('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = sessionId;
    await browser.#send('Page.enable');
    await browser.#send('Runtime.enable');
    return browser;
  }

  async close() {
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Loads a page with its scripts. */
  async visit(url) {
    await this.#loading(() => this.#send('Page.navigate', { url }));
  }

  /** Clicks an element that leads to another page. */
  async follow(selector) {
    await this.#loading(() => this.click(selector));
  }

  async click(selector) {
    await this.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
  }

  /** The value of an expression in the page. A promise is awaited. */
  async evaluate(expression) {
    const parameters = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
    const { result, exceptionDetails } = await this.#send('Runtime.evaluate', parameters);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Waits until the condition holds. It is checked whenever the page changes. */
  async until(condition) {
    await this.evaluate(`new Promise((resolve) => {
      const look = () => (${condition}) && (observer.disconnect(), resolve());
      const observer = new MutationObserver(look);
      observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      look();
    })`);
  }

  async screenshot(file) {
    const { data } = await this.#send('Page.captureScreenshot', { format: 'png' });
    await writeFile(file, Buffer.from(data, 'base64'));
  }

  async #loading(begin) {
    const loaded = this.#within(new Promise((resolve) => this.#listeners.set('Page.loadEventFired', resolve)), 'a page');
    await Promise.all([begin(), loaded]);
  }

  #send(method, params = {}) {
    const id = (this.#lastId += 1);
    const message = { id, method, params, ...(this.#session && { sessionId: this.#session }) };
    const reply = new Promise((resolve, reject) => this.#replies.set(id, { resolve, reject }));
    this.#process.stdio[3].write(`${JSON.stringify(message)}\0`);
    return this.#within(reply, `${method} ${params.expression ?? ''}`);
  }

  // Messages end with NUL.
  #read(text) {
    const messages = (this.#rest + text).split('\0');
    this.#rest = messages.pop();
    for (const { id, method, result, error } of messages.map((message) => JSON.parse(message))) {
      if (method) this.#listeners.get(method)?.();
      else if (error) this.#replies.get(id).reject(new Error(error.message));
      else this.#replies.get(id).resolve(result);
    }
  }

  async #within(promise, what) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the browser let us wait in vain for ${what}`)), TIMEOUT);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  }
}
