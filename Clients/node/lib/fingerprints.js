'use strict';

const { createHash } = require('node:crypto');

/** The SHA-256 of a text, as 64 hexadecimal digits. */
function fingerprintOf(text) {
  return createHash('sha256').update(text).digest('hex');
}

module.exports = { fingerprintOf };
