import Dispatch
import Glibc
package import Secrets
package import TokenStorage

/// The memory of the tokens from the daemon's start on: that of the last daemon, or new memory.
package struct TokenMemory {
    /// The files of the memory, for the descriptor store.
    package struct Files: Sendable {
        /// The memory's files, or nil if the tokens are in no file.
        let memory: TokenFile?
        /// True if they are the last daemon's, and the store has them.
        let areInherited: Bool
        /// The names of other files in the store, which no daemon needs any more.
        let unneeded: Set<String>
    }

    /// The tokens.
    package let storage: TokenStorage
    /// The files that the tokens are in.
    package let files: Files

    /// Takes over the memory of the last daemon, or creates new memory.
    ///
    /// - Parameters:
    ///   - inherited: The files that the service manager has handed over, which this object owns from here on.
    ///   - isWanted: True if the last daemon's tokens are to be served.
    ///   - onShortage: Called the first time that memory can't be locked. It must not block.
    /// - Throws: ``NoMemory`` if there is none.
    package static func open(
        inheriting inherited: [TokenPersistence.File],
        isWanted: Bool,
        onShortage: @escaping @Sendable (SecretMemory.Shortage) -> Void
    ) throws(NoMemory) -> sending TokenMemory {
        let names = Set(inherited.map(\.name))
        // Files that aren't wanted are closed, too.
        if let file = TokenFile(takingOver: isWanted ? inherited : closed(inherited)),
            let storage = TokenStorage(restoring: file, onShortage: onShortage, inBackground: inBackground)
        {
            let unneeded = names.subtracting(file.stored.map(\.name))
            return TokenMemory(storage: storage, files: Files(memory: file, areInherited: true, unneeded: unneeded))
        }
        return try create(unneeded: names, onShortage)
    }

    /// Runs a function on another thread, which takes work off that of the requests only if it has a processor of its own.
    private static func inBackground(_ body: @escaping @Sendable () -> Void) {
        guard sysconf(CInt(_SC_NPROCESSORS_ONLN)) > 1 else { return }
        DispatchQueue.global(qos: .utility).async(execute: body)
    }

    private static func create(
        unneeded: Set<String>,
        _ onShortage: @escaping @Sendable (SecretMemory.Shortage) -> Void
    ) throws(NoMemory) -> sending TokenMemory {
        if let file = TokenFile.make(), let storage = TokenStorage(in: file, onShortage: onShortage) {
            return TokenMemory(storage: storage, files: Files(memory: file, areInherited: false, unneeded: unneeded))
        }
        guard let storage = TokenStorage(in: AnonymousPages(), onShortage: onShortage) else { throw NoMemory() }
        return TokenMemory(storage: storage, files: Files(memory: nil, areInherited: false, unneeded: unneeded))
    }

    /// Closes files, and returns none.
    private static func closed(_ files: [TokenPersistence.File]) -> [TokenPersistence.File] {
        for file in files { close(file.descriptor) }
        return []
    }
}

@available(*, unavailable)
extension TokenMemory: Sendable {}
