/// The limits of the daemon's process.
package struct LimitFacts: Sendable, Equatable {
    /// The most files that it may open.
    package var files: Int?
    /// The most bytes of memory that it may lock, or `Int.max` for no limit.
    package var lockedMemory: Int?
    /// True if the limit of locked memory doesn't bind it.
    package var mayLockAll: Bool
    /// The connections that the configuration allows.
    package var maxConnections: Int
    /// The descriptors that the daemon needs besides its connections.
    package var reservedFiles: Int
    /// The tokens that the configuration allows.
    package var maxEntries: Int

    /// Creates facts.
    package init(
        files: Int?,
        lockedMemory: Int?,
        mayLockAll: Bool,
        maxConnections: Int,
        reservedFiles: Int,
        maxEntries: Int
    ) {
        self.files = files
        self.lockedMemory = lockedMemory
        self.mayLockAll = mayLockAll
        self.maxConnections = maxConnections
        self.reservedFiles = reservedFiles
        self.maxEntries = maxEntries
    }
}

extension LimitFacts {
    /// The memory that a token takes with its key, in bytes, as `make bench` measures it.
    private static let bytesOfToken = 1_331

    /// The findings, one for each limit that can be read.
    package var findings: [Finding] { [openFiles, memory].compactMap(\.self) }

    private var openFiles: Finding? {
        guard let files else { return nil }
        let needed = maxConnections + reservedFiles
        guard files < needed else {
            return .ok(.limits, nil, "\(files) open files suffice for sockets.max_connections (\(maxConnections))")
        }
        return .warning(
            .limits,
            nil,
            "the limit of \(files) open files allows \(max(1, files - reservedFiles)) connections, and "
                + "sockets.max_connections is \(maxConnections)",
            "raise LimitNOFILE= of the unit to \(needed) or more, or lower sockets.max_connections"
        )
    }

    private var memory: Finding? {
        guard let lockedMemory, !mayLockAll else {
            return mayLockAll ? .ok(.limits, nil, "the daemon may lock all its memory") : nil
        }
        let (needed, limit) = (maxEntries * Self.bytesOfToken, Self.mebibytes(lockedMemory))
        guard lockedMemory < needed else {
            return .ok(.limits, nil, "\(limit) of locked memory suffice for cache.max_entries (\(maxEntries))")
        }
        return .warning(
            .limits,
            nil,
            "\(limit) may be locked, and cache.max_entries (\(maxEntries)) tokens take \(Self.mebibytes(needed)): "
                + "tokens beyond the limit may be swapped to disk",
            "raise LimitMEMLOCK= of the unit, or lower cache.max_entries"
        )
    }

    private static func mebibytes(_ bytes: Int) -> String {
        bytes == .max ? "any amount" : bytes < 10_485_760 ? "\(bytes / 1_024) KiB" : "\(bytes / 1_048_576) MiB"
    }
}
