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
        /// The last daemon's places in the fleet's events, if these are its tokens.
        let places: FleetPlacesFile?
        /// The names of other files in the store, which no daemon needs any more.
        let unneeded: Set<String>
    }

    /// The tokens.
    package let storage: TokenStorage
    /// The files that the tokens are in.
    package let files: Files
    /// The limit because of which the last daemon's tokens can't be mapped, as it is lower than it was for that one, or nil.
    package let lostTokens: MapRefusal?

    /// Takes over the memory of the last daemon, or creates new memory.
    ///
    /// - Parameters:
    ///   - inherited: The files that the service manager has handed over, which this object owns from here on.
    ///   - isWanted: True if the last daemon's tokens are to be served.
    ///   - makeFile: Creates a file, which may be secret if its argument is true.
    ///   - onShortage: Called the first time that memory can't be locked. It must not block.
    /// - Throws: ``NoMemory`` if there is none.
    package static func open(
        inheriting inherited: [TokenPersistence.File],
        isWanted: Bool,
        makeFile: (Bool) -> TokenFile? = { TokenFile.make(mayBeSecret: $0) },
        onShortage: @escaping @Sendable (SecretMemory.Shortage) -> Void
    ) throws(NoMemory) -> sending TokenMemory {
        let places = inherited.filter { $0.name == FleetPlacesFile.name }
        let inherited = inherited.filter { $0.name != FleetPlacesFile.name }
        let names = Set(inherited.map(\.name))
        // Files that aren't wanted are closed, too.
        let file = TokenFile(takingOver: isWanted ? inherited : closed(inherited))
        var refusal: MapRefusal?
        if let file {
            do {
                let storage = try TokenStorage(restoring: file, onShortage: onShortage, inBackground: inBackground)
                let unneeded = names.subtracting(file.stored.map(\.name))
                let files = Files(memory: file, areInherited: true, places: newest(places), unneeded: unneeded)
                return TokenMemory(storage: storage, files: files, lostTokens: nil)
            } catch {
                refusal = error
            }
        }
        _ = closed(places)
        return try create(unneeded: names, lostTokens: refusal, makeFile, onShortage)
    }

    /// Runs a function on another thread, which takes work off that of the requests only if it has a processor of its own.
    private static func inBackground(_ body: @escaping @Sendable () -> Void) {
        guard sysconf(CInt(_SC_NPROCESSORS_ONLN)) > 1 else { return }
        DispatchQueue.global(qos: .utility).async(execute: body)
    }

    private static func create(
        unneeded: Set<String>,
        lostTokens: MapRefusal?,
        _ makeFile: (Bool) -> TokenFile?,
        _ onShortage: @escaping @Sendable (SecretMemory.Shortage) -> Void
    ) throws(NoMemory) -> sending TokenMemory {
        func memory(_ storage: TokenStorage, in file: TokenFile?) -> TokenMemory {
            let files = Files(memory: file, areInherited: false, places: nil, unneeded: unneeded)
            return TokenMemory(storage: storage, files: files, lostTokens: lostTokens)
        }
        // A secret file that the limit of locked memory leaves no room for can be created, but not mapped.
        for mayBeSecret in [true, false] {
            if let file = makeFile(mayBeSecret), let storage = TokenStorage(in: file, onShortage: onShortage) {
                return memory(storage, in: file)
            }
        }
        guard let storage = TokenStorage(in: AnonymousPages(), onShortage: onShortage) else { throw NoMemory() }
        return memory(storage, in: nil)
    }

    /// Takes over the file that was stored last, and closes the others.
    private static func newest(_ places: [TokenPersistence.File]) -> FleetPlacesFile? {
        _ = closed(places.dropLast())
        return places.last.flatMap { FleetPlacesFile(takingOver: $0.descriptor) }
    }

    /// Closes files, and returns none.
    private static func closed(_ files: some Sequence<TokenPersistence.File>) -> [TokenPersistence.File] {
        for file in files { close(file.descriptor) }
        return []
    }
}

@available(*, unavailable)
extension TokenMemory: Sendable {}
