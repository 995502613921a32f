'use strict';

/** Sixteen times the longest token that the daemon hands out, in bytes. */
const LONGEST_REPLY = 1_048_576;
const NEWLINE = 0x0a;

/** Reads the replies of one connection from its bytes, however these are split. */
class ReplyReader {
  #pieces = [];
  #length = 0;
  #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  /** The replies that are complete with this chunk. The last one is undefined if its line is malformed. */
  *read(chunk) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#line(chunk.subarray(start, end));
      start = end + 1;
      const reply = line.length > LONGEST_REPLY ? undefined : this.#parse(line);
      yield reply;
      if (!reply) return;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    if (this.#length > LONGEST_REPLY) yield undefined;
  }

  #keep(piece) {
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  #line(last) {
    if (this.#length === 0) return last;
    this.#keep(last);
    const line = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#length = 0;
    return line;
  }

  // An error of JSON.parse quotes the text, which may contain a token, so it is dropped here.
  #parse(line) {
    try {
      const reply = JSON.parse(this.#decoder.decode(line));
      return typeof reply === 'object' && reply !== null && !Array.isArray(reply) ? reply : undefined;
    } catch {
      return undefined;
    }
  }
}

module.exports = { ReplyReader };
