'use strict';

/** The longest `retry_after` that is taken for one, in seconds: 30 days. */
const LONGEST_PAUSE = 2_592_000;

/** Whether it is a string without lone surrogates, which can't be written in UTF-8. */
function isText(value) {
  return typeof value === 'string' && !/\p{Surrogate}/u.test(value);
}

/** A `retry_after` that somebody can wait for, in seconds; undefined for any other. */
function pauseOf(value) {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_PAUSE ? value : undefined;
}

module.exports = { isText, pauseOf };
