import Testing
import TokenProtocol

@Suite("Sets of scopes")
struct ScopeSetTests {
    @Test("A list without a scope is no set, so that no text means all scopes.")
    func empty() {
        for text in ["", " ", "  "] { #expect(ScopeSet(text) == nil) }
        #expect(ScopeSet.all.isAll && ScopeSet.all.text.isEmpty && ScopeSet.all.scopes.isEmpty)
    }

    @Test("All scopes are a part of no other set, and every set is a part of them.")
    func all() throws {
        let some = try #require(ScopeSet("b a"))
        #expect(!ScopeSet.all.isSubset(of: some))
        #expect(some.isSubset(of: .all))
        #expect(ScopeSet.all.isSubset(of: .all))
        #expect(!some.isAll && some != .all)
    }
}
