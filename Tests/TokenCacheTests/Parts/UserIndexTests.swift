import Testing
import TokenCache
import TokenProtocol

@Suite("The index of users")
struct UserIndexTests {
    @Test("It agrees with a dictionary after any insertions, replacements and removals.")
    func followsDictionary() {
        var index = UserIndex()
        var model: [UserKey: Int] = [:]
        var keys: [Int: UserKey] = [:]
        var state: UInt64 = 4_242
        for step in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let number = Int(state >> 33)
            let user = UserKey(tenant: "main", user: UserLookup(field: .subject, value: "user\(number % 700)"))
            let hash = UserIndex.hash(user)
            let known = index.find(hash) { keys[$0] == user }
            #expect(known == model[user])
            switch (known, number % 3) {
            case (nil, _):
                index.insert(hash, step)
                (model[user], keys[step]) = (step, user)
            case (let slot?, 0):
                index.replace(hash, slot, with: step)
                (model[user], keys[slot], keys[step]) = (step, nil, user)
            case (let slot?, _):
                index.remove(hash, slot)
                (model[user], keys[slot]) = (nil, nil)
            }
        }
        for (user, slot) in model { #expect(index.find(UserIndex.hash(user)) { keys[$0] == user } == slot) }
    }

    @Test("So it does when many users are in one shard, and the table's end is crossed.")
    func shard() {
        var index = UserIndex()
        var model: [UInt32: Int] = [:]
        var slots: [Int: UInt32] = [:]
        var state: UInt64 = 77
        for step in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // The highest nine bits choose the shard, and half of the hashes belong to the table's end.
            let hash = UInt32(state >> 33) % 1_000 * 64 | (state >> 63 == 0 ? 0xFF00 : 0)
            if let slot = index.find(hash, isUser: { slots[$0] == hash }) {
                #expect(model[hash] == slot)
                index.remove(hash, slot)
                (model[hash], slots[slot]) = (nil, nil)
            } else {
                #expect(model[hash] == nil)
                index.insert(hash, step)
                (model[hash], slots[step]) = (step, hash)
            }
        }
        for (hash, slot) in model { #expect(index.find(hash) { slots[$0] == hash } == slot) }
    }

    @Test("Users who differ in the tenant, the field or a byte are told apart.")
    func tellsApart() {
        let users = [
            UserKey(tenant: "a", user: UserLookup(field: .subject, value: "u")),
            UserKey(tenant: "b", user: UserLookup(field: .subject, value: "u")),
            UserKey(tenant: "a", user: UserLookup(field: .userID, value: "u")),
            UserKey(tenant: "a", user: UserLookup(field: .subject, value: "v")),
            UserKey(tenant: "a", user: UserLookup(field: .subject, value: "é")),
            UserKey(tenant: "a", user: UserLookup(field: .subject, value: "e\u{301}")),
        ]
        var index = UserIndex()
        for (slot, user) in users.enumerated() { index.insert(UserIndex.hash(user), slot) }
        for (slot, user) in users.enumerated() {
            #expect(index.find(UserIndex.hash(user)) { users[$0] == user } == slot)
        }
    }
}
