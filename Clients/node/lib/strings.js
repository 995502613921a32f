'use strict';

/** The longest `retry_after` that a reply is believed to ask for, in seconds: 30 days. */
const LONGEST_DELAY = 2_592_000;

/** True if the value is a string without lone surrogates, which UTF-8 can't express. */
function isValidString(value) {
  return typeof value === 'string' && !/\p{Surrogate}/u.test(value);
}

/** A `retry_after` in seconds, or undefined if it is no delay that somebody could wait for. */
function delayOf(value) {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_DELAY ? value : undefined;
}

module.exports = { delayOf, isValidString };
