import ArgumentParser
import Glibc
import Histogram

/// Measures GETs over Unix sockets.
@main
struct SocketLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures the daemon's hits beside GETs of Redis and memcached, and its memory.",
        subcommands: [Compare.self, Fill.self, Press.self]
    )
}

/// `compare`: measures the three servers in turn, round by round, so that a slower machine slows all of them.
struct Compare: ParsableCommand {
    @Option var tokencached: String
    @Option var redis: String
    @Option var memcached: String
    @Option(help: "Of each measurement, in seconds.") var seconds = 1.5
    @Option(help: "Measurements of each; the median is shown.") var rounds = 3
    @Option(help: "How many users' tokens are asked for.") var users = 1_000

    func run() throws {
        let paths = [(Target.tokencached, tokencached), (.redis, redis), (.memcached, memcached)]
        let value = try warm(paths)
        print("\(users) keys, values of \(value) bytes, \(rounds) rounds of \(seconds) s each; medians\n")
        print(
            "| connections | in flight each | server | requests/s | p50 µs | p99 µs | p99.9 µs | of the better other |"
        )
        print("|---:|---:|---|---:|---:|---:|---:|---:|")
        for connections in [1, 16, 64] {
            for depth in [1, 16] { try compare(paths, value, connections, depth) }
        }
    }

    /// Stores the same bytes in each server: a complete reply of the daemon.
    private func warm(_ paths: [(Target, String)]) throws -> Int {
        let descriptor = try Connection.open(tokencached)
        defer { close(descriptor) }
        var value: [UInt8] = []
        // The second reply is a hit, as in the measurement.
        for number in Array(0..<users) + [0] {
            try Connection.write(descriptor, Target.tokencached.request(number))
            value = try Connection.read(descriptor, nil)
        }
        guard String(decoding: value, as: UTF8.self).contains(#""source":"cache""#) else {
            throw LoadError(text: "the daemon should have answered from its cache")
        }
        for (target, path) in paths {
            let descriptor = try Connection.open(path)
            defer { close(descriptor) }
            for number in 0..<users {
                guard let store = target.store(number, value) else { break }
                try Connection.write(descriptor, store.request)
                _ = try Connection.read(descriptor, store.reply)
            }
        }
        return value.count
    }

    private func compare(_ paths: [(Target, String)], _ value: Int, _ connections: Int, _ depth: Int) throws {
        var results: [[Load.Result]] = [[], [], []]
        for _ in 0..<rounds {
            for (index, (target, path)) in paths.enumerated() {
                var load = try Load(target, path, users: users, value: value, connections: connections, depth: depth)
                results[index].append(try load.run(seconds: seconds))
            }
        }
        let medians = results.map { $0.sorted { $0.rate < $1.rate }[$0.count / 2] }
        let best = max(medians[1].rate, medians[2].rate)
        for (name, median) in zip(["tokencached", "redis", "memcached"], medians) {
            let ratio = name == "tokencached" ? two(median.rate / best) : ""
            print(
                "| \(connections) | \(depth) | \(name) | \(Int(median.rate)) | \(one(median.p50)) | \(one(median.p99)) "
                    + "| \(one(median.p999)) | \(ratio) |"
            )
        }
    }

    private func one(_ value: Double) -> String { String((value * 10).rounded() / 10) }
    private func two(_ value: Double) -> String { String((value * 100).rounded() / 100) }
}

/// `fill`: has tokens minted for many users and shows the memory that the daemon uses.
struct Fill: ParsableCommand {
    @Option var tokencached: String
    @Option var process: Int32
    @Option var users = 100_000

    func run() throws {
        let before = try memory()
        let descriptor = try Connection.open(tokencached)
        defer { close(descriptor) }
        let together = 64
        for start in stride(from: 0, to: users, by: together) {
            let numbers = start..<min(start + together, users)
            try Connection.write(descriptor, numbers.flatMap { Target.tokencached.request($0) })
            var lines = 0
            while lines < numbers.count {
                lines += try Connection.read(descriptor, nil).count { $0 == 0x0A }
            }
        }
        let after = try memory()
        let each = (after - before) * 1_024 / users
        print(
            "\(users) tokens: resident memory \(after / 1_024) MiB, \(before / 1_024) MiB before; \(each) bytes a token"
        )
    }

    private func memory() throws -> Int {
        guard let file = fopen("/proc/\(process)/status", "r") else {
            throw LoadError(text: "there is no such process")
        }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, CInt(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix("VmRSS:") { return text.split(separator: " ").compactMap { Int($0) }.first ?? 0 }
        }
        throw LoadError(text: "the process has no resident memory")
    }
}

/// `press`: puts one shape of load on one server, to be watched with a profiler.
struct Press: ParsableCommand {
    @Option(help: "tokencached, redis or memcached.") var server = Target.tokencached
    @Option var socket: String
    @Option var seconds = 5.0
    @Option var connections = 16
    @Option(help: "Requests in flight on each connection.") var depth = 16
    @Option(help: "How many keys are asked for.") var users = 1_000
    @Option(help: "The length of a value, as `compare` prints it.") var value = 1_161

    func run() throws {
        var load = try Load(server, socket, users: users, value: value, connections: connections, depth: depth)
        let result = try load.run(seconds: seconds)
        print("\(Int(result.rate)) requests/s, p50 \(result.p50) µs, p99 \(result.p99) µs, p99.9 \(result.p999) µs")
    }
}

/// One measurement.
struct Load {
    struct Result {
        var rate = 0.0
        var p50 = 0.0
        var p99 = 0.0
        var p999 = 0.0
    }

    /// The first tenth of each measurement is a warm-up and isn't counted.
    private static let warmUpShare = 0.1

    private var connections: [Connection] = []
    private let depth: Int
    private let requests: [[UInt8]]

    init(_ target: Target, _ path: String, users: Int, value: Int, connections: Int, depth: Int) throws {
        self.depth = depth
        requests = (0..<users).map { target.request($0) }
        for _ in 0..<connections { self.connections.append(try Connection(path, target, value: value)) }
    }

    mutating func run(seconds: Double) throws -> Result {
        defer { for connection in connections { close(connection.descriptor) } }
        var random = Random(seed: 88_172_645_463_325_252)
        var histogram = Histogram<UInt64>(highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
        for index in connections.indices { try connections[index].send(depth, requests, &random) }
        let start = nanoseconds()
        let counted = start + UInt64(seconds * Self.warmUpShare * 1e9)
        let end = start + UInt64(seconds * 1e9)
        var polled = connections.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        var now = start
        var replies = 0
        while now < end {
            guard poll(&polled, nfds_t(polled.count), 1_000) > 0 else { throw LoadError(text: "no reply came") }
            now = nanoseconds()
            let isCounted = now >= counted
            for index in polled.indices where polled[index].revents != 0 {
                let count = try connections[index].receive { if isCounted { histogram.record($0) } }
                if isCounted { replies += count }
                if count > 0 { try connections[index].send(count, requests, &random) }
            }
        }
        func microseconds(_ percentile: Double) -> Double { Double(histogram.valueAtPercentile(percentile)) / 1_000 }
        return Result(
            rate: Double(replies) / (Double(now - counted) / 1e9),
            p50: microseconds(50),
            p99: microseconds(99),
            p999: microseconds(99.9)
        )
    }
}
