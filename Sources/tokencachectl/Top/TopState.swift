/// The state of the live screen: what was learned, and what the keys have chosen.
package struct TopState: Sendable {
    /// The effect of a key.
    package enum KeyEffect: Sendable, Equatable {
        case nothing
        /// The screen has changed.
        case redraw
        /// The tool ends.
        case quit
    }

    /// The reason why the daemon doesn't answer, and the time of the last answer or of the first attempt.
    struct Failure: Sendable {
        let message: String
        let since: Duration
    }

    /// The state of the daemon as the screen shows it.
    struct Content: Sendable {
        var history = History()
        var failure: Failure?
    }

    /// The most names that are kept, many more than a window has lines.
    private static let maxNames = 1_000

    private var latest = Content()
    /// The content that stays while the screen is paused.
    private var paused: Content?
    /// The user names by uid.
    private(set) var names: [UInt32: String] = [:]
    private(set) var order = TenantOrder.trouble
    private(set) var showsHelp = false

    package init() {}

    /// The content to show.
    var content: Content { paused ?? latest }

    /// True if new looks are not shown.
    var isPaused: Bool { paused != nil }

    /// Adds a look.
    package mutating func add(_ look: Look) {
        latest.history.add(look)
        latest.failure = nil
    }

    /// Records that the daemon doesn't answer.
    package mutating func fail(_ message: String, at now: Duration) {
        let since = latest.failure?.since ?? latest.history.last?.at ?? now
        latest.failure = Failure(message: message, since: since)
        latest.history.addGap()
    }

    /// Adds a user's name.
    package mutating func add(name: String, of uid: UInt32) {
        if names.count >= Self.maxNames { names = [:] }
        names[uid] = name
    }

    /// Does what a key asks for.
    package mutating func press(_ key: UInt8) -> KeyEffect {
        switch key {
        case UInt8(ascii: "q"): return .quit
        case UInt8(ascii: " "): paused = isPaused ? nil : latest
        case UInt8(ascii: "t"): order = order.next
        case UInt8(ascii: "?"), UInt8(ascii: "h"): showsHelp.toggle()
        default:
            guard showsHelp else { return .nothing }
            showsHelp = false
        }
        return .redraw
    }

    /// The uids whose names the screen needs.
    var shownUIDs: [UInt32] { content.history.last.map { Array(BusiestPeers($0, content.history.rates).uids) } ?? [] }
}
