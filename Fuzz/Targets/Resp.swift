import FleetProtocol

/// Fuzzes the engine's replies: they mean the same however their bytes are divided, and take no more memory than they
/// justify.
///
/// The input is a number of bytes that choose where it is divided, these bytes, then what the engine sends.
func fuzzResp(_ input: [UInt8]) throws(BrokenPromise) {
    guard let count = input.first else { return }
    let chosen = input.dropFirst().prefix(Int(count))
    let sent = Array(input.dropFirst(1 + chosen.count))
    let limits = RespLimits(size: 4_096, line: 1_024, depth: 4)
    let whole = try RespRun(sent, limits) { sent.count }
    var choices = Choices(chosen)
    let divided = try RespRun(sent, limits) { 1 + choices.next() % 16 }
    // Texts, as a number that isn't one differs from itself.
    try check("\(whole.values)" == "\(divided.values)", "values don't depend on the division of their bytes")
    try check(whole.fault == divided.fault, "faults don't depend on the division of the bytes")
    try checkCommand(sent)
}

/// The outcome of a run over all bytes.
private struct RespRun {
    private(set) var values: [RespValue] = []
    private(set) var fault: RespFault?

    init(_ sent: [UInt8], _ limits: RespLimits, length: () -> Int) throws(BrokenPromise) {
        var parser = RespParser(limits: limits)
        var rest = sent[...]
        while !rest.isEmpty, fault == nil {
            let piece = rest.prefix(length())
            rest = rest.dropFirst(piece.count)
            parser.append(piece)
            do throws(RespFault) {
                while let value = try parser.next() { values.append(value) }
            } catch {
                fault = error
            }
            try check(parser.pending <= sent.count, "no more waits than was sent")
        }
    }
}

/// Checks that any bytes as the argument of a command are read as they are.
private func checkCommand(_ bytes: [UInt8]) throws(BrokenPromise) {
    var parser = RespParser()
    parser.append(EngineCommand(words: [Array("SET".utf8), bytes]).encoded)
    let value = try? parser.next()
    try check(value == .array([.bulk(Array("SET".utf8)), .bulk(bytes)]), "a command's arguments are sent as they are")
}
