import DaemonRuntime
import Dispatch
import Synchronization

/// Stands in for the machine's name service, and records each look-up.
final class StandInNameService: NameService {
    struct Accounts {
        var users: [String: UInt32] = [:]
        var groups: [String: UInt32] = [:]
        /// Users that can be listed besides being looked up.
        var listed: [UInt32: String] = [:]
    }

    private let state: Mutex<(accounts: Accounts, lookUps: [String])>
    private let gate = DispatchSemaphore(value: 0)
    private let isBlocking: Bool

    /// Creates a name service that knows some accounts, and root.
    ///
    /// - Parameter isBlocking: True if each look-up of a user's name waits for ``unblock()``.
    init(users: [String: UInt32] = [:], groups: [String: UInt32] = [:], isBlocking: Bool = false) {
        state = Mutex((Accounts(users: users.merging(["root": 0]) { $1 }, groups: groups), []))
        self.isBlocking = isBlocking
    }

    /// Lets a look-up that is blocked end.
    func unblock() { gate.signal() }

    func change(_ body: (inout Accounts) -> Void) { state.withLock { body(&$0.accounts) } }

    /// The look-ups so far.
    var lookUps: [String] { state.withLock { $0.lookUps } }

    func user(_ name: String) -> UInt32? {
        if isBlocking { gate.wait() }
        return lookUp("user \(name)") { $0.users[name] }
    }

    func group(_ name: String) -> UInt32? { lookUp("group \(name)") { $0.groups[name] } }

    func name(ofUser number: UInt32) -> String? {
        lookUp("user \(number)") { accounts in accounts.users.first { $0.value == number }?.key }
    }

    func name(ofGroup number: UInt32) -> String? {
        lookUp("group \(number)") { accounts in accounts.groups.first { $0.value == number }?.key }
    }

    func listUsers(limit: Int) -> [UInt32: String] { lookUp("list users") { $0.listed } }

    func listGroups(limit: Int) -> [UInt32: String] { lookUp("list groups") { _ in [:] } }

    private func lookUp<Answer: Sendable>(_ text: String, _ answer: (Accounts) -> Answer) -> Answer {
        state.withLock { state in
            state.lookUps.append(text)
            return answer(state.accounts)
        }
    }
}
