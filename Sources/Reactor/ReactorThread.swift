import CLinux
import Glibc
import SystemPackage

/// A thread that handles no signals.
enum ReactorThread {
    private final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    /// Starts a thread, which ends with its function.
    ///
    /// - Throws: If the kernel has none left.
    static func start(named name: String, _ run: @escaping @Sendable () -> Void) throws(Errno) {
        let body = unsafe Unmanaged.passRetained(
            Body {
                _ = unsafe set_thread_name(name)
                run()
            }
        )
        var (thread, before) = (pthread_t(), sigset_t())
        // The thread inherits the mask. A signal that it took would end its wait for nothing.
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, &before)
        let code = unsafe pthread_create(
            &thread,
            nil,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                }
                return nil
            },
            body.toOpaque()
        )
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else {
            unsafe body.release()
            throw Errno(rawValue: code)
        }
        pthread_detach(thread)
    }
}
