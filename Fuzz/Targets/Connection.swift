import Foundation
import Secrets
import TokenProtocol

/// Fuzzes a connection: its bytes are divided anywhere, replies come in any order, and the peer stops reading and
/// continues.
///
/// The input is a number of bytes that choose what happens, these bytes, then what the peer sends. In that, `FF n`
/// stands for n · 512 spaces, so that a short input can have lines that are too long.
func fuzzConnection(_ input: [UInt8]) throws(BrokenPromise) {
    guard let count = input.first else { return }
    let chosen = input.dropFirst().prefix(Int(count))
    var choices = Choices(chosen)
    let repeats = 1 + choices.below(40)
    let once = expand(input.dropFirst(1 + chosen.count))
    let sent = Array(repeatElement(once, count: min(repeats, 1 + 60_000 / max(1, once.count))).joined())
    var run = ConnectionRun(choices)
    try run.run(sent)
}

private func expand(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var (expanded, rest): ([UInt8], ArraySlice<UInt8>) = ([], bytes)
    while let byte = rest.popFirst() {
        guard byte == 0xFF, let count = rest.popFirst() else {
            expanded.append(byte)
            continue
        }
        expanded.append(contentsOf: repeatElement(0x20, count: Int(count) * 512))
        // This is longer than what a peer sends at once.
        if expanded.count > 400_000 { break }
    }
    return expanded
}

/// A connection, its peer, and the handler of its requests.
private struct ConnectionRun: ~Copyable {
    private var machine = ConnectionStateMachine(isAdmin: true)
    private var choices: Choices
    private var waiting: [(ticket: UInt64, reply: Int)] = []
    /// The replies to requests without an id in their order, and all hits, whose reply shows if they have an id.
    private var order: [Int] = []
    /// The number of replies other than errors.
    ///
    /// Each of them has its own number.
    private var replies = 0
    private var rejections = 0
    private var received: [UInt8] = []
    private var isDraining = false
    private let token = GrantedToken(AccessToken("abc"), scope: "s", expiresAt: WallTime(seconds: 1_795_471_800))

    init(_ choices: Choices) { self.choices = choices }

    mutating func run(_ sent: [UInt8]) throws(BrokenPromise) {
        var position = 0
        while position < sent.count {
            try act()
            guard !machine.isFull, !machine.hasHeld else { continue }
            let length = choices.next()
            let end = min(sent.count, position + (length == 0 ? 4_096 : length >= 250 ? 65_536 : length))
            try feed(Array(sent[position..<end]))
            position = end
        }
        try finish(sent)
    }

    // MARK: Events

    private mutating func act() throws(BrokenPromise) {
        switch choices.next() % 16 {
        case 1, 2, 3: try deliver(choices.next())
        case 4: for _ in 0..<64 where !waiting.isEmpty { try deliver(choices.next()) }
        case 5: machine.isBlocked = true
        case 6: machine.isBlocked = false
        case 7: receive()
        case 8: try check(machine.deliver(.evicted, to: .max) == nil, "only a request that waits is answered")
        case 9 where choices.next() == 77:
            machine.drain()
            isDraining = true
        default: break
        }
        if machine.isFull {
            // The peer reads again and some requests are answered, so that the run continues.
            machine.isBlocked = false
            for _ in 0..<32 where !waiting.isEmpty { try deliver(choices.next()) }
        }
        try resume()
    }

    private mutating func resume() throws(BrokenPromise) {
        while machine.hasHeld, !machine.isFull {
            let held = machine.takeHeld()
            try check(held.count <= 65_536, "no more is held than was read at once")
            try feed(held)
        }
    }

    private mutating func feed(_ chunk: [UInt8]) throws(BrokenPromise) {
        var cursor = ConnectionStateMachine.Cursor()
        while let step = next(chunk, &cursor) { try perform(step) }
        try check(machine.waiting <= ProtocolLimits.maxWaiting, "no more requests wait than may")
        if !machine.isFull { try check(machine.output.count < machine.largeOutput + 4_096, "output is sent in time") }
    }

    private mutating func next(
        _ chunk: [UInt8],
        _ cursor: inout ConnectionStateMachine.Cursor
    ) -> ConnectionStateMachine.Step? {
        var hits: [Int] = []
        let before = replies
        let token = token
        let step = machine.next(chunk.span, &cursor) { _, user, _, _, _, id, output in
            // About half of the users have a token.
            guard user[0] & 1 == 1 else { return false }
            hits.append(before + hits.count + 1)
            let reply = TokenReply(token: token, expiresIn: before + hits.count, source: .cache)
            ReplyEncoder.encode(reply, id: id, into: &output)
            return true
        }
        replies += hits.count
        order += hits
        return step
    }

    private mutating func perform(_ step: ConnectionStateMachine.Step) throws(BrokenPromise) {
        switch step {
        case .outputIsLarge: receive()
        case .answered, .emptyLines: break
        case .rejected: rejections += 1
        case .request(let request, let ticket):
            try check(!isDraining, "in a drain there are no requests")
            replies += 1
            if request.id == nil { order.append(replies) }
            if choices.next() & 1 == 0 {
                machine.answer(ticket, request.id, .flushed(replies))
            } else {
                machine.wait(ticket, request.id, request.operation.name)
                waiting.append((ticket, replies))
            }
        }
    }

    private mutating func deliver(_ choice: Int) throws(BrokenPromise) {
        guard !waiting.isEmpty else { return }
        let (ticket, reply) = waiting.remove(at: choice % waiting.count)
        try check(machine.deliver(.flushed(reply), to: ticket) != nil, "a request that waits is answered")
        try check(machine.deliver(.evicted, to: ticket) == nil, "a request is answered once")
    }

    private mutating func receive() {
        unsafe machine.output.drain { unsafe received.append(contentsOf: $0) }
    }

    // MARK: Results

    private mutating func finish(_ sent: [UInt8]) throws(BrokenPromise) {
        machine.isBlocked = false
        repeat {
            while !waiting.isEmpty { try deliver(choices.next()) }
            try resume()
            receive()
        } while machine.hasHeld || !waiting.isEmpty
        if let step = machine.inputEnded() { try perform(step) }
        receive()
        try check(machine.isDone && machine.pending.isEmpty, "when all is answered, the connection is done")
        try checkReplies(lines: Self.lines(sent))
    }

    /// The number of replies that the peer expects: one for each line that isn't empty, and one for an unfinished line.
    private static func lines(_ sent: [UInt8]) -> Int {
        let lines = sent.split(separator: 0x0A, omittingEmptySubsequences: false)
        return lines.dropLast().count { !$0.isEmpty && $0 != [0x0D] } + (lines.last?.isEmpty ?? true ? 0 : 1)
    }

    private func checkReplies(lines: Int) throws(BrokenPromise) {
        var (numbers, errors): ([Int], Int) = ([], 0)
        var unordered: Set<Int> = []
        for line in received.split(separator: 0x0A) {
            guard let reply = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any] else {
                throw BrokenPromise(promise: "a reply is a JSON object")
            }
            if reply["error"] != nil {
                errors += 1
            } else if let number = (reply["flushed"] ?? reply["expires_in"]) as? Int {
                numbers.append(number)
                if reply["id"] != nil { unordered.insert(number) }
            }
        }
        try check(errors == rejections, "each line that is no request gets an error")
        try check(
            numbers.count + errors == lines,
            "each line gets a reply: \(lines), not \(numbers.count + errors)"
        )
        try check(numbers.sorted() == Array((1..<replies + 1)), "each reply is sent once")
        let ordered = numbers.filter { !unordered.contains($0) }
        try check(ordered == order.filter { !unordered.contains($0) }, "replies without an id come in order")
    }
}
