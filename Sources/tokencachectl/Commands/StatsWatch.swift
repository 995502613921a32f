import ArgumentParser
import OperatorReplies
import TokenCacheClient

/// Looks at the daemon's statistics again and again, until a signal ends the program or its reader is gone.
struct StatsWatch {
    /// The longest time that a look may take.
    private static let timeout = Duration.seconds(5)

    private let client: TokenCacheClient
    private let interval: Duration
    private let printsJSON: Bool
    private var looks = StatsLooks()
    private var screen = Screen()
    private var isFirst = true

    init(client: TokenCacheClient, interval: Duration, printsJSON: Bool) {
        self.client = client
        self.interval = interval
        self.printsJSON = printsJSON
    }

    /// Shows a look each interval.
    consuming func run() async throws {
        while true {
            try await look()
            try await Task.sleep(for: interval)
        }
    }

    private mutating func look() async throws {
        var request = TokenCacheClient.Request("stats")
        request.timeout = Self.timeout
        do {
            let reply = Reply(try await client.call(request))
            let stats = try reply.decode(StatsReply.self)
            looks.saw(stats)
            if printsJSON { return try Terminal.write(reply.json) }
        } catch let error as TokenCacheError {
            let wasReachable = looks.note == nil
            try looks.failed(error)
            if !printsJSON, Terminal.hasTerminal { return try show() }
            // It is said once, and no look is printed.
            if wasReachable, let note = looks.note { Terminal.complain(note) }
            return
        }
        try show()
    }

    private mutating func show() throws {
        let display = Display.standardOutput
        let text = looks.text(display)
        guard Terminal.hasTerminal else {
            // A blank line is between two looks.
            try Terminal.write(isFirst ? text : "\n" + text)
            isFirst = false
            return
        }
        try screen.draw(text)
    }
}
