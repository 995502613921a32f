/// The client's name for a request, by which it recognises the reply.
package enum RequestID: Sendable, Hashable {
    /// An integer of at most 53 bits, so that every JSON library keeps it exactly.
    case integer(Int64)
    /// A string of at most 128 bytes, kept as the JSON text that the client wrote, with quotes and escapes.
    case text(json: [UInt8])

    /// The JSON text, as it is sent back.
    package var json: [UInt8] {
        switch self {
        case .integer(let number): Array(String(number).utf8)
        case .text(let json): json
        }
    }
}
