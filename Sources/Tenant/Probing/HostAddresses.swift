import Glibc
import NIOCore
import NIOPosix

/// Looks up all addresses of a host.
///
/// The name service may block for long, so it is asked on a thread of NIO's pool for blocking calls.
struct HostAddresses: Sendable {
    private let host: String
    private let port: Int
    private let eventLoop: any EventLoop

    init(host: String, port: Int, on eventLoop: any EventLoop) {
        self.host = host
        self.port = port
        self.eventLoop = eventLoop
    }

    /// Returns the addresses in the order in which they would be tried.
    ///
    /// - Throws: ``CallFault``.
    func addresses(within time: Duration, at side: CallFault.Side) async throws -> [SocketAddress] {
        let promise = eventLoop.makePromise(of: [SocketAddress].self)
        NIOThreadPool.singleton.submit { state in
            guard case .active = state else { return promise.fail(CallFault(.shutDown)) }
            promise.completeWith(Result { try lookUp(side) })
        }
        return try await promise.value(until: .now + time, or: CallFault(.nameUnresolved, at: side))
    }

    private func lookUp(_ side: CallFault.Side) throws -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, nil, &hints, &first)
        guard code == 0 else {
            throw CallFault(code == EAI_NONAME || code == Self.noData ? .noSuchName : .nameUnresolved, at: side)
        }
        defer { unsafe freeaddrinfo(first) }
        var addresses: [SocketAddress] = []
        var next = unsafe first
        while let info = unsafe next {
            if let address = unsafe Self.address(info.pointee, port: port), !addresses.contains(address) {
                addresses.append(address)
            }
            unsafe next = info.pointee.ai_next
        }
        guard !addresses.isEmpty else { throw CallFault(.noSuchName, at: side) }
        return addresses
    }

    /// `EAI_NODATA`, which the C library declares for its own extensions only.
    private static let noData = CInt(-5)

    private static func address(_ info: addrinfo, port: Int) -> SocketAddress? {
        guard let bytes = unsafe UnsafeRawPointer(info.ai_addr) else { return nil }
        var address: SocketAddress
        switch unsafe info.ai_family {
        case AF_INET where unsafe info.ai_addrlen >= MemoryLayout<sockaddr_in>.size:
            address = SocketAddress(unsafe bytes.loadUnaligned(as: sockaddr_in.self))
        case AF_INET6 where unsafe info.ai_addrlen >= MemoryLayout<sockaddr_in6>.size:
            address = SocketAddress(unsafe bytes.loadUnaligned(as: sockaddr_in6.self))
        default: return nil
        }
        address.port = port
        return address
    }
}
