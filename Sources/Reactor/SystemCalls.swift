import CLinux
import Glibc

/// The system calls of a reactor and its sockets, which tests replace to inject faults.
///
/// Each returns the call's result, or the error's number below zero.
@safe package struct SystemCalls: Sendable {
    /// `epoll_wait(2)`.
    package var wait: @Sendable (_ epoll: CInt, _ events: UnsafeMutableRawPointer, _ count: Int, _ timeout: CInt) -> Int
    /// `accept4(2)`, for a descriptor that doesn't block.
    package var accept: @Sendable (_ socket: CInt) -> Int
    /// `recv(2)`.
    package var receive: @Sendable (_ socket: CInt, UnsafeMutableRawPointer, _ count: Int) -> Int
    /// `send(2)`, without SIGPIPE.
    package var send: @Sendable (_ socket: CInt, UnsafeRawPointer, _ count: Int) -> Int

    /// The kernel's calls.
    package static let kernel = unsafe SystemCalls(
        wait: { epoll, events, count, timeout in
            let memory = unsafe events.assumingMemoryBound(to: epoll_event.self)
            return unsafe outcome(Int(epoll_wait(epoll, memory, CInt(count), timeout)))
        },
        accept: { outcome(Int(accept_connection($0))) },
        receive: { unsafe outcome(recv($0, $1, $2, 0)) },
        send: { unsafe outcome(Glibc.send($0, $1, $2, CInt(MSG_NOSIGNAL))) }
    )

    private static func outcome(_ result: Int) -> Int { result >= 0 ? result : -Int(errno) }
}
