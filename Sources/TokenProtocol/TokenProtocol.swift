// TokenProtocol: the lines of the daemon's sockets.
//
// Purpose: the meaning of a line and the handling of a connection's bytes are rules without I/O, which tests and fuzz
// targets can run on bytes alone. It promises that a line is read strictly, so that no two readers understand it
// differently, that replies come in the order that the protocol promises, that a peer can neither fill the memory nor
// exhaust the stack, and that tokens are overwritten once they were sent.
//
// Its parts: Connection has the state of one connection and its output. Requests reads lines as requests. Replies has
// the replies and writes them as lines. JSON reads and writes JSON texts. Documentation/protocol.md describes the
// protocol.
