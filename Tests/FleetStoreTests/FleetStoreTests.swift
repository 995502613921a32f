import TokenCache
import Testing

@Suite("Fences")
struct FleetFenceTests {
    @Test("A token of which the fleet doesn't know is older than all others")
    func none() { #expect(FleetFence.none < FleetFence(1)) }
}
