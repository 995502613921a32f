import Audit
import DaemonRuntime
import Foundation
import Glibc
import Logging
import TestSupport
import TokenCache
import TokenProtocol

extension MetricMove {
    // MARK: Requests

    private static let requests: [Self] = [
        .daemon("tokencached_requests_total") { [try await $0.token("ann")] },
        .cache("tokencached_token_lookups_total") { $0.ask("ann") },
        .daemon("tokencached_hit_duration_seconds") { [try await $0.token("ann"), try await $0.token("ann")] },
        .cache("tokencached_request_wait_seconds") { try $0.mint("ann") },
        .cache("tokencached_token_lifetime_left_seconds") { try $0.mint("ann") },
        .cache("tokencached_waiting_requests") { $0.ask("ann") },
    ]

    // MARK: Mints and refreshes

    private static let mints: [Self] = [
        .cache("tokencached_mints_total") { try $0.mint("ann") },
        .cache("tokencached_mint_duration_seconds") { try $0.mint("ann") },
        .cache("tokencached_mints_in_flight") { $0.ask("ann") },
        .cache("tokencached_mints_queued") { cache in
            cache.ask("ann")
            cache.ask("bob")
        },
        .cache("tokencached_refreshes_due_total") { cache in
            try cache.mint("ann", lifetime: .seconds(600))
            cache.advance(.seconds(575))
        },
        .cache("tokencached_refreshes_done_total") { cache in
            try cache.mint("ann", lifetime: .seconds(600))
            cache.advance(.seconds(575))
            try cache.succeed()
        },
        .cache("tokencached_refreshes_late_total") { cache in
            try cache.mint("ann", lifetime: .seconds(600))
            cache.advance(.seconds(575))
            try cache.succeed(after: .seconds(60))
        },
        .cache("tokencached_refreshes_skipped_total") { cache in
            try cache.mint("ann")
            cache.advance(.seconds(21_000))
        },
        .cache("tokencached_next_refresh_seconds") { try $0.mint("ann") },
        .cache("tokencached_revocations_total") { cache in
            try cache.mint("ann")
            try cache.logOut("ann")
        },
    ]

    // MARK: Tenants

    private static let refused = CallFailure.denied(.init(status: 401))

    private static let tenants: [Self] = [
        .cache("tokencached_tenant_hold_seconds") { cache in
            cache.ask("ann")
            try cache.fail(.throttled(retryAfter: .seconds(60)))
        },
        .cache("tokencached_tenant_circuit_state") { try $0.fail(times: 5, .unavailable("it is down")) },
        .cache("tokencached_tenant_circuit_openings_total") { try $0.fail(times: 5, .unavailable("it is down")) },
        .cache("tokencached_tenant_client_state") { try $0.fail(times: 3, refused) },
        .cache("tokencached_tenant_rate_tokens") { $0.ask("ann") },
        .cache("tokencached_tenant_rate_burst") { $0.reconfigure(burst: 7) },
        .cache("tokencached_tenant_rate_per_minute") { $0.reconfigure(ratePerMinute: 7) },
        .cache("tokencached_tenant_last_success_timestamp_seconds") { try $0.mint("ann") },
    ]

    // MARK: Users

    private static let provisioning: [Self] = [
        .cache("tokencached_api_calls_total") { try $0.provision("ann", .users([], next: nil)) },
        .cache("tokencached_tenant_api_hold_seconds") { cache in
            try cache.provision("ann", .failed(.throttled(retryAfter: .seconds(60))))
        },
        .cache("tokencached_tenant_api_circuit_state") { cache in
            for index in 0..<5 { try cache.provision("user-\(index)", .failed(.unavailable("it is down"))) }
        },
        .cache("tokencached_users_provisioned_total") { cache in
            let ann = TenantUser(id: "1", subject: Array("ann".utf8), status: "active")
            try cache.provision("ann", .users([ann], next: nil))
        },
    ]

    // MARK: Cache

    private static let cache: [Self] = [
        .cache("tokencached_entries") { try $0.mint("ann") },
        .cache("tokencached_entries_max") { $0.reconfigure(maxEntries: 7) },
        .cache("tokencached_negative_entries") { cache in
            cache.ask("ann")
            try cache.fail(refused)
        },
        .cache("tokencached_cache_bytes") { try $0.mint("ann") },
        .cache("tokencached_evictions_total") { cache in
            try cache.mint("ann")
            cache.evict("ann")
        },
        .daemon("tokencached_persisted_tokens") { [try await $0.token("ann")] },
        .nextDaemon("tokencached_restored_tokens") { _ = try await $0.token("ann") },
    ]

    // MARK: Connections and users

    private static let users: [Self] = [
        .daemon("tokencached_connections") { [try await $0.open()] },
        .constant("tokencached_connections_max") { _ in 100 },
        .daemon("tokencached_connections_accepted_total") { [try await $0.open()] },
        .daemon("tokencached_connections_rejected_total") { [try await $0.openTooMany()] },
        .daemon("tokencached_uid_connections") { [try await $0.open()] },
        .cache("tokencached_uid_waiting") { $0.ask("ann") },
        .cache("tokencached_uid_entries") { try $0.mint("ann") },
        .daemon("tokencached_uid_requests_total") { [try await $0.token("ann")] },
        .daemon("tokencached_uid_overloaded_total") { [try await $0.openTooMany()] },
    ]

    // MARK: The daemon

    private static let daemon: [Self] = [
        .daemon("tokencached_audit_records_total") { daemon in
            let opened = try AuditTrail.open(.file(daemon.directory.path("audit")))
            daemon.components.auditTrail.move(to: opened)
            _ = try await daemon.token("ann")
            daemon.components.auditTrail.flush()
            return []
        },
        .daemon("tokencached_audit_records_lost_total") { daemon in
            let opened = try AuditTrail.open(.file(daemon.directory.path("audit")))
            let trail = AuditTrail(to: opened, bound: 0, metrics: daemon.exporter.registry) { _ in }
            trail.append(AuditRecord(nil, .reload(nil)))
            trail.flush()
            return []
        },
        .daemon("tokencached_log_lines_dropped_total") { daemon in
            // One entry that is larger than all that may wait: 300 values of the most bytes each.
            let value = Logger.MetadataValue.string(String(repeating: "x", count: 4_096))
            let values = Dictionary(uniqueKeysWithValues: (0..<300).map { ("value\($0)", value) })
            daemon.log.output.write(LogEntry(.info, "an entry", values))
            return []
        },
        .daemon("tokencached_reloads_total") { daemon in
            daemon.reloadMetrics.count(await daemon.reload.perform())
            return []
        },
        .daemon("tokencached_last_reload_success_timestamp_seconds") { daemon in
            daemon.reloadMetrics.count(await daemon.reload.perform())
            return []
        },
        .daemon("tokencached_last_reload_successful") { daemon in
            try daemon.configure("colour: red")
            daemon.reloadMetrics.count(await daemon.reload.perform())
            return []
        },
        .cache("tokencached_health_status") { try $0.fail(times: 5, .unavailable("it is down")) },
        .constant("tokencached_build_info") { _ in 1 },
    ]

    // MARK: The process

    private static let process: [Self] = [
        .constant("process_start_time_seconds") { _ in
            // The kernel gives both in hundredths of a second.
            let stat = try String(contentsOfFile: "/proc/self/stat", encoding: .utf8)
            let ticks = Double(stat.split(separator: ")").last?.split(separator: " ")[19] ?? "") ?? 0
            let boot = try String(contentsOfFile: "/proc/stat", encoding: .utf8)
            let seconds = boot.split(separator: "\n").first { $0.hasPrefix("btime ") }?.dropFirst(6) ?? ""
            return (Double(seconds) ?? 0) + ticks / 100
        },
        .daemon("process_cpu_seconds_total") { _ in
            let before = clock()
            while clock() - before < 2 * CLOCKS_PER_SEC / 100 {}
            return []
        },
        // Sizes that no other test frees at the same time.
        .daemon("process_resident_memory_bytes") { _ in [[UInt8](repeating: 1, count: 61 * 1_024 * 1_024)] },
        .daemon("process_virtual_memory_bytes") { _ in [[UInt8](repeating: 1, count: 89 * 1_024 * 1_024)] },
        .daemon("process_open_fds") { daemon in
            [try (0..<50).map { _ in try LineClient(daemon.directory.path("r")) }]
        },
        .constant("process_max_fds") { _ in
            var limit = rlimit()
            _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            return Double(limit.rlim_cur)
        },
    ]

    static let all = requests + mints + tenants + provisioning + cache + fleet + users + daemon + process
}

extension TestDaemon {
    /// Opens a connection, and returns it once the daemon has answered on it.
    fileprivate func open() async throws -> LineClient {
        let client = try LineClient(directory.path("r"))
        _ = try await client.answer(to: #"{"op":"hello"}"#)
        return client
    }

    /// Opens more connections than the daemon takes, and returns them once one was rejected.
    fileprivate func openTooMany() async throws -> [LineClient] {
        var clients: [LineClient] = []
        for _ in 0..<100 { clients.append(try await open()) }
        let rejected = try LineClient(directory.path("r"))
        _ = try await rejected.nextLine()
        return clients + [rejected]
    }
}
