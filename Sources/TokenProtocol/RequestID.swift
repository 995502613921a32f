/// What a client calls a request, so that it knows the reply when it comes.
package enum RequestID: Sendable, Hashable {
    /// An integer of at most 53 bits, so that every JSON library keeps it exactly.
    case integer(Int64)
    /// A string of at most 128 bytes, kept as the JSON text that the client wrote, quotes and escapes included.
    case text(json: [UInt8])
}
