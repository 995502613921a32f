import ArgumentParser
import Glibc

extension LiveScreen {
    /// The reason why the screen ends.
    enum End {
        /// A key was pressed.
        case key
        /// A signal asks for it.
        case signal(Int32)
        /// The terminal is gone.
        case hangUp

        /// The code to exit with, as a shell gives it for a program that a signal has ended, or nil for success.
        var exitCode: ExitCode? {
            switch self {
            case .key: nil
            case .signal(let number): ExitCode(128 + number)
            case .hangUp: ExitCode(128 + SIGHUP)
            }
        }
    }
}
