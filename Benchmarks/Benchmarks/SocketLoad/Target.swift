import ArgumentParser

/// A server that is measured: how one of its GETs is written, and where its reply ends.
enum Target: String, ExpressibleByArgument {
    /// The daemon: a line of JSON each way.
    case tokencached
    /// Redis in its own protocol.
    case redis
    /// memcached in its text protocol.
    case memcached

    /// Keys have one length, so that requests and replies have, too.
    static func key(_ number: Int) -> String {
        let digits = String(number)
        return "user" + String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// One GET.
    func request(_ number: Int) -> [UInt8] {
        let key = Self.key(number)
        let text =
            switch self {
            case .tokencached: #"{"op":"token","subject":"\#(key)"}"# + "\n"
            case .redis: "*2\r\n$3\r\nGET\r\n$\(key.utf8.count)\r\n\(key)\r\n"
            case .memcached: "get \(key)\r\n"
            }
        return Array(text.utf8)
    }

    /// What puts a value there; nil: asking for it does.
    func store(_ number: Int, _ value: [UInt8]) -> (request: [UInt8], reply: Int)? {
        let key = Self.key(number)
        switch self {
        case .tokencached: return nil
        case .redis:
            let head = "*3\r\n$3\r\nSET\r\n$\(key.utf8.count)\r\n\(key)\r\n$\(value.count)\r\n"
            return (Array(head.utf8) + value + Array("\r\n".utf8), "+OK\r\n".utf8.count)
        case .memcached:
            return (
                Array("set \(key) 0 0 \(value.count)\r\n".utf8) + value + Array("\r\n".utf8), "STORED\r\n".utf8.count
            )
        }
    }

    /// How long a reply with such a value is; nil: it ends with its line.
    func replyLength(_ value: Int) -> Int? {
        switch self {
        case .tokencached: nil
        case .redis: "$\(value)\r\n".utf8.count + value + 2
        case .memcached: "VALUE \(Self.key(0)) 0 \(value)\r\n".utf8.count + value + "\r\nEND\r\n".utf8.count
        }
    }
}
