// Secrets: bytes that must not leak.
//
// Purpose: a token or a client secret in a `String` or an array ends up in log lines, in crash reports and in memory
// that is never overwritten.
//
// Promises: the types of this module are redacted wherever they are printed, are overwritten when the last reference is
// released, and become text only where code that writes them to a wire says so.
//
// Parts: ``AccessToken`` and ``ClientSecret`` are ``SecretBytes`` with a meaning, and a ``Fingerprint`` identifies a
// token. ``SecretMemory`` is locked memory for them, in regions of slots. ``ProcessHeap`` and ``ProcessSecrecy`` protect
// the rest of the process.
