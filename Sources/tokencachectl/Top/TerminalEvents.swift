import Dispatch
import Glibc

/// The events of the terminal and of the kernel: keys, signals, and seconds that pass.
///
/// The daemon's answers join them.
final class TerminalEvents {
    /// The signals that end the tool, change its window, suspend it or wake it up.
    private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT]
    /// The most events that are kept until they are handled.
    ///
    /// The oldest are dropped, as nobody types ahead so much.
    private static let limit = 1_000
    /// The most keys that are read at once.
    private static let maxKeys = 256

    let stream: AsyncStream<TopEvent>
    let continuation: AsyncStream<TopEvent>.Continuation
    private let queue = DispatchQueue(label: "tokencachectl.top")
    private var sources: [any DispatchSourceProtocol] = []

    /// Starts to listen.
    ///
    /// - Parameter terminal: The descriptor of the terminal, whose reads don't block.
    init(terminal: Int32) {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.limit))
        let continuation = continuation
        for number in Self.signals {
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { continuation.yield(.signal(number)) }
            start(source)
        }
        let keys = DispatchSource.makeReadSource(fileDescriptor: terminal, queue: queue)
        keys.setEventHandler { Self.read(terminal, continuation) }
        start(keys)
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler { continuation.yield(.second) }
        timer.schedule(deadline: .now() + 1, repeating: 1)
        start(timer)
    }

    deinit {
        for source in sources { source.cancel() }
        continuation.finish()
    }

    private func start(_ source: any DispatchSourceProtocol) {
        sources.append(source)
        source.resume()
    }

    private static func read(_ terminal: Int32, _ continuation: AsyncStream<TopEvent>.Continuation) {
        var keys = [UInt8](repeating: 0, count: maxKeys)
        let count = unsafe keys.withUnsafeMutableBytes { unsafe Glibc.read(terminal, $0.baseAddress, $0.count) }
        let error = errno
        for key in keys.prefix(max(0, count)) { continuation.yield(.key(key)) }
        if count == 0 || count < 0 && error != EAGAIN && error != EINTR { continuation.yield(.hangUp) }
    }
}
