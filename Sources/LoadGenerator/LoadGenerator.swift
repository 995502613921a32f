// LoadGenerator: load on the applications' socket, for `tokencachectl bench`.
//
// Purpose: a user measures how many requests the daemon answers on the own machine, and how fast. A generator that is
// slower than the daemon would measure itself, so each of its threads works with plain sockets, and looks only at the
// beginning and the end of a reply.
//
// It is a closed loop: each connection keeps a number of requests in flight and sends the next one when a reply has
// come. While the daemon pauses, no further requests are made, as they would be by independent users. So a pause shows
// in the longest times, and its share of all requests is smaller than it would be for users ("coordinated omission").
//
// - `LoadSettings` has the shape of the load, `RequestLines` the requests.
// - `ReplyScanner` finds the ends of replies and tells errors from tokens, without input or output.
// - `LoadConnection` is one connection, `LoadThread` drives some of them, and `Load` all threads.
// - `Recording` is a measurement under way, and `Measurement` the result.
