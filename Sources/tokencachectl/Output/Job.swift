import Glibc
import SystemPackage

/// This program as a job of a shell.
enum Job {
    /// True if a shell in this session can continue the program after it was stopped.
    private static var hasShell: Bool { getsid(getppid()) == getsid(0) }

    /// Stops the program until the shell continues it.
    ///
    /// Without a shell nothing is done.
    static func stop() {
        // The signals of a terminal are blocked on the threads of Swift's runtime. This one can't be.
        if hasShell { raise(SIGSTOP) }
    }

    /// Stops the program as long as it is in the background, where the terminal is another one's.
    ///
    /// The kernel does so only for a thread that doesn't block the signal.
    static func awaitForeground(of terminal: FileDescriptor) {
        while hasShell {
            let foreground = tcgetpgrp(terminal.rawValue)
            guard foreground >= 0, foreground != getpgrp() else { return }
            stop()
        }
    }
}
