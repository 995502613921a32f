package import Dispatch
package import SocketServer
import Synchronization
package import TokenCache

/// Resolves the names of the access rules on a thread of its own: a name service may ask a server that doesn't answer.
///
/// A name that was resolved once stays known. Only ``resolve(_:within:)`` blocks its caller.
package final class AccountResolver: Sendable {
    /// The maximum number of users, and of groups, that are listed at once.
    ///
    /// The others are looked up when they connect.
    private static let maxListed = 10_000
    /// The maximum number of peers' numbers that wait for their look-up.
    ///
    /// Further peers are looked up at their next connection.
    private static let maxWanted = 1_024

    private struct State {
        var known = KnownAccounts()
        var hasListed = false
        var wantedUsers: Set<UInt32> = []
        var wantedGroups: Set<UInt32> = []
        /// Users without a name at their last look-up.
        var namelessUsers: Set<UInt32> = []
        /// Groups without a name at their last look-up.
        var namelessGroups: Set<UInt32> = []
        /// The numbers whose names were looked up one by one, as they are not in the list.
        var asked: (users: Set<UInt32>, groups: Set<UInt32>) = ([], [])
    }

    private let service: any NameService
    private let queue = DispatchQueue(label: "tokencached.names")
    private let state = Mutex(State())

    /// Creates a resolver that knows nothing yet.
    package init(_ service: any NameService = MachineNameService()) { self.service = service }

    // MARK: Names

    /// Looks up names, with a timeout, and returns all known accounts.
    ///
    /// A name that takes longer is not known yet.
    package func resolve(_ names: AccountNames, within timeout: DispatchTimeInterval) -> KnownAccounts {
        let done = DispatchSemaphore(value: 0)
        queue.async {
            self.ask(for: names, again: true)
            done.signal()
        }
        _ = done.wait(timeout: .now() + timeout)
        return state.withLock { $0.known }
    }

    /// Looks up those of the names that are unknown and the wanted numbers of peers, and returns all known accounts.
    package func resolveFurther(_ names: AccountNames) async -> KnownAccounts {
        await withCheckedContinuation { continuation in
            queue.async {
                self.ask(for: names, again: false)
                self.lookUpPeers()
                continuation.resume(returning: self.state.withLock { $0.known })
            }
        }
    }

    private func ask(for names: AccountNames, again: Bool) {
        let unknown = again ? names : state.withLock { $0.known.unresolved(names) }
        for name in unknown.users {
            let number = service.user(name)
            state.withLock { $0.known.users[name] = number }
        }
        for name in unknown.groups {
            let number = service.group(name)
            state.withLock { $0.known.groups[name] = number }
        }
        if !state.withLock({ $0.known.unresolved(names).isEmpty || $0.hasListed }) { list() }
    }

    /// Lists the local accounts.
    ///
    /// Most peers are among them. Once their names are known, it is clear that an unknown name doesn't mean them.
    private func list() {
        let users = service.listUsers(limit: Self.maxListed)
        let groups = service.listGroups(limit: Self.maxListed)
        state.withLock { state in
            // A number that is no longer listed and was not looked up by itself has no name.
            state.known.userNames = state.known.userNames.filter { state.asked.users.contains($0.key) }
            state.known.groupNames = state.known.groupNames.filter { state.asked.groups.contains($0.key) }
            state.known.userNames.merge(users) { _, new in new }
            state.known.groupNames.merge(groups) { _, new in new }
            state.hasListed = true
        }
    }

    // MARK: Peers

    /// Requests the look-up of a peer's names.
    ///
    /// - Returns: True if there is anything to look up.
    package func want(_ peer: Peer) -> Bool {
        state.withLock { state in
            guard state.wantedUsers.count + state.wantedGroups.count < Self.maxWanted else { return false }
            if state.known.userNames[peer.uid] == nil, !state.namelessUsers.contains(peer.uid) {
                state.wantedUsers.insert(peer.uid)
            }
            for group in [peer.gid] + peer.groups
            where state.known.groupNames[group] == nil && !state.namelessGroups.contains(group) {
                state.wantedGroups.insert(group)
            }
            return !state.wantedUsers.isEmpty || !state.wantedGroups.isEmpty
        }
    }

    /// Requests a new look-up of all numbers, even of those with a name, as it may have changed.
    package func lookAgain() {
        state.withLock { state in
            (state.namelessUsers, state.namelessGroups, state.hasListed) = ([], [], false)
            state.wantedUsers.formUnion(state.asked.users)
            state.wantedGroups.formUnion(state.asked.groups)
        }
    }

    private func lookUpPeers() {
        let (users, groups) = state.withLock { state in
            defer { (state.wantedUsers, state.wantedGroups) = ([], []) }
            return (state.wantedUsers, state.wantedGroups)
        }
        for number in users {
            let name = service.name(ofUser: number)
            state.withLock { state in
                state.known.userNames[number] = name
                if name == nil { state.namelessUsers.insert(number) } else { state.asked.users.insert(number) }
            }
        }
        for number in groups {
            let name = service.name(ofGroup: number)
            state.withLock { state in
                state.known.groupNames[number] = name
                if name == nil { state.namelessGroups.insert(number) } else { state.asked.groups.insert(number) }
            }
        }
    }
}
