import Glibc
import SystemPackage

/// Shows the state on the terminal until the tool is told to end.
///
/// It decides nothing: events go to the state, and the state's lines go to the terminal.
struct LiveScreen {
    private let events: TerminalEvents
    private let clock: TopClock
    private let interval: Double
    private let names: UserNames
    private var state = TopState()

    init(events: TerminalEvents, clock: TopClock, interval: Double, names: UserNames) {
        self.events = events
        self.clock = clock
        self.interval = interval
        self.names = names
    }

    /// Shows the screen.
    ///
    /// - Throws: The terminal's error.
    mutating func run(on terminal: inout FullScreen) async throws(Errno) -> End {
        try terminal.enter()
        try draw(on: &terminal)
        for await event in events.stream {
            if let end = try handle(event, &terminal) { return end }
            try draw(on: &terminal)
            await names.find(state.shownUIDs)
        }
        return .hangUp
    }

    private mutating func handle(_ event: TopEvent, _ terminal: inout FullScreen) throws(Errno) -> End? {
        switch event {
        case .key(let key): if state.press(key) == .quit { return .key }
        case .look(let look): state.add(look)
        case .failure(let message): state.fail(message, at: clock.now)
        case .name(let name, let uid): state.add(name: name, of: uid)
        case .second, .signal(SIGWINCH): break
        case .signal(SIGTSTP): try suspend(&terminal)
        // Another program has had the terminal.
        case .signal(SIGCONT): try terminal.enter()
        case .signal(let number): return .signal(number)
        case .hangUp: return .hangUp
        }
        return nil
    }

    /// Gives the terminal to the shell, which continues the tool later.
    private func suspend(_ terminal: inout FullScreen) throws(Errno) {
        terminal.leave()
        Job.stop()
        try terminal.enter()
    }

    private func draw(on terminal: inout FullScreen) throws(Errno) {
        guard let size = terminal.size else { throw .ioError }
        let screen = TopScreen(state, size: size, now: clock.now, time: clock.timeOfDay, interval: interval)
        try terminal.show(screen.lines, size)
    }
}
