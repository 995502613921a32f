import Dispatch
import SocketServer
import Synchronization
import TokenCache

/// Resolves the names of the access rules on a thread of its own: a name service may ask a server that doesn't answer.
///
/// A name that was resolved once stays known; nothing here ever blocks an event loop or one of the
/// few threads that tasks share.
final class AccountResolver: Sendable {
    /// So many local users, and as many groups, are known by name at once; others are asked for when they connect.
    private static let mostListed = 10_000
    /// So many numbers of peers wait to be looked up; who comes then is asked for at its next connection.
    private static let mostWanted = 1_024

    private struct State {
        var known = KnownAccounts()
        var hasListed = false
        var wantedUsers: Set<UInt32> = []
        var wantedGroups: Set<UInt32> = []
        /// Numbers that had no name when they were last looked up.
        var nameless: Set<UInt32> = []
        var namelessGroups: Set<UInt32> = []
        /// Numbers that a name was found for, one by one; those that are listed are not among them.
        var asked: (users: Set<UInt32>, groups: Set<UInt32>) = ([], [])
    }

    private let queue = DispatchQueue(label: "tokencached.names")
    private let state = Mutex(State())

    // MARK: Names

    /// The known accounts after some names were asked for; a name that takes longer than a time is not known yet.
    func resolve(_ names: AccountNames, within patience: DispatchTimeInterval) -> KnownAccounts {
        let done = DispatchSemaphore(value: 0)
        queue.async {
            self.ask(for: names, again: true)
            done.signal()
        }
        _ = done.wait(timeout: .now() + patience)
        return state.withLock { $0.known }
    }

    /// The known accounts after the unknown ones of some names, and the wanted numbers of peers, were asked for.
    func resolveFurther(_ names: AccountNames) async -> KnownAccounts {
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
            let number = Accounts.user(name).number
            state.withLock { $0.known.users[name] = number }
        }
        for name in unknown.groups {
            let number = Accounts.group(name).number
            state.withLock { $0.known.groups[name] = number }
        }
        if !state.withLock({ $0.known.unresolved(names).isEmpty || $0.hasListed }) { list() }
    }

    /// Most peers are local users: that they are not meant by an unknown name should be known before they come.
    private func list() {
        let users = Accounts.listUsers(limit: Self.mostListed)
        let groups = Accounts.listGroups(limit: Self.mostListed)
        state.withLock { state in
            // What isn't listed any more and was not asked for one by one has no name.
            state.known.userNames = state.known.userNames.filter { state.asked.users.contains($0.key) }
            state.known.groupNames = state.known.groupNames.filter { state.asked.groups.contains($0.key) }
            state.known.userNames.merge(users) { _, new in new }
            state.known.groupNames.merge(groups) { _, new in new }
            state.hasListed = true
        }
    }

    // MARK: Peers

    /// Has a peer's names looked up.
    ///
    /// - Returns: Whether there is anything to look up.
    func want(_ peer: Peer) -> Bool {
        state.withLock { state in
            guard state.wantedUsers.count + state.wantedGroups.count < Self.mostWanted else { return false }
            if state.known.userNames[peer.uid] == nil, !state.nameless.contains(peer.uid) {
                state.wantedUsers.insert(peer.uid)
            }
            for group in [peer.gid] + peer.groups
            where state.known.groupNames[group] == nil && !state.namelessGroups.contains(group) {
                state.wantedGroups.insert(group)
            }
            return !state.wantedUsers.isEmpty || !state.wantedGroups.isEmpty
        }
    }

    /// Has all numbers looked up again, those that had a name, too: it may be another one's by now.
    func lookAgain() {
        state.withLock { state in
            (state.nameless, state.namelessGroups, state.hasListed) = ([], [], false)
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
            let name = Accounts.name(ofUser: number)
            state.withLock { state in
                state.known.userNames[number] = name
                if name == nil { state.nameless.insert(number) } else { state.asked.users.insert(number) }
            }
        }
        for number in groups {
            let name = Accounts.name(ofGroup: number)
            state.withLock { state in
                state.known.groupNames[number] = name
                if name == nil { state.namelessGroups.insert(number) } else { state.asked.groups.insert(number) }
            }
        }
    }
}
