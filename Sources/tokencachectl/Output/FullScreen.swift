import CTerminal
import Glibc
import SystemPackage

/// The terminal while a screen fills its window.
///
/// It is opened anew, so that writes don't block and the shell's own descriptors keep their flags. A frame that the
/// terminal doesn't take at once is written as soon as it does, and no other is begun meanwhile.
struct FullScreen: ~Copyable {
    /// The time in milliseconds that the last words to the terminal may take.
    private static let farewellTime: Int32 = 500

    let descriptor: FileDescriptor
    private var encoder: FrameEncoder
    /// The rest of a frame that the terminal hasn't taken yet.
    private var pending: ArraySlice<UInt8> = []
    private var isEntered = false

    /// Opens the terminal of standard output.
    ///
    /// - Throws: The error of the last attempt, for example if standard output is no terminal.
    init(style: Style) throws(Errno) {
        descriptor = try Self.open()
        encoder = FrameEncoder(style: style)
    }

    private static func open() throws(Errno) -> FileDescriptor {
        // A user who has changed identity may not open the terminal's own path.
        let flags = FileDescriptor.OpenOptions(rawValue: O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        for path in ["/proc/self/fd/\(STDOUT_FILENO)", "/dev/tty"] {
            if let descriptor = unsafe try? FileDescriptor.open(path, .readWrite, options: flags) { return descriptor }
        }
        throw Errno(rawValue: errno)
    }

    deinit {
        if isEntered { Self.leave(descriptor) }
        try? descriptor.close()
    }

    /// The window's size, or nil if the terminal is gone.
    var size: WindowSize? {
        guard isatty(descriptor.rawValue) == 1 else { return nil }
        return WindowSize(
            columns: Int(terminal_columns(descriptor.rawValue)),
            lines: Int(terminal_lines(descriptor.rawValue))
        )
    }

    /// Takes the whole window, also again after another program had it.
    mutating func enter() throws(Errno) {
        Job.awaitForeground(of: descriptor)
        guard prepare_terminal(descriptor.rawValue) == 0 else { throw Errno(rawValue: errno) }
        isEntered = true
        unsafe restore_terminal_after_crash(descriptor.rawValue, EscapeSequence.leave, EscapeSequence.leave.utf8.count)
        encoder.invalidate()
        pending = Array(EscapeSequence.enter.utf8)[...]
        try flush()
    }

    /// Gives the window back as it was.
    mutating func leave() {
        guard isEntered else { return }
        isEntered = false
        pending = []
        Self.leave(descriptor)
    }

    /// Shows a screen, unless the terminal hasn't taken the one before.
    mutating func show(_ lines: [StyledText], _ size: WindowSize) throws(Errno) {
        try flush()
        guard pending.isEmpty else { return }
        pending = encoder.frame(lines, size)[...]
        try flush()
    }

    /// Writes what the terminal takes now.
    private mutating func flush() throws(Errno) {
        while !pending.isEmpty {
            let count = Self.write(pending, to: descriptor)
            let error = errno
            if count > 0 {
                pending = pending.dropFirst(count)
            } else if error == EAGAIN {
                return
            } else if error != EINTR {
                throw Errno(rawValue: error)
            }
        }
    }

    private static func write(_ bytes: ArraySlice<UInt8>, to descriptor: FileDescriptor) -> Int {
        unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor.rawValue, $0.baseAddress, $0.count) }
    }

    private static func leave(_ descriptor: FileDescriptor) {
        restore_terminal(descriptor.rawValue)
        restore_terminal_after_crash(descriptor.rawValue, nil, 0)
        var rest = Array(EscapeSequence.leave.utf8)[...]
        var file = pollfd(fd: descriptor.rawValue, events: Int16(POLLOUT), revents: 0)
        while !rest.isEmpty, unsafe poll(&file, 1, farewellTime) == 1 {
            let count = write(rest, to: descriptor)
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
