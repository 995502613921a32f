import ArgumentParser

/// A server that is measured, with the form of its requests and replies.
enum Target: String, ExpressibleByArgument {
    /// The daemon: a line of JSON each way.
    case tokencached
    /// Redis in its own protocol.
    case redis
    /// memcached in its text protocol.
    case memcached

    /// All keys have the same length, so all requests and all replies have, too.
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

    /// The request that stores a value, or nil if the GET itself creates the value.
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

    /// The length of a reply with a value of that size, or nil if the reply ends with its line.
    func replyLength(_ value: Int) -> Int? {
        switch self {
        case .tokencached: nil
        case .redis: "$\(value)\r\n".utf8.count + value + 2
        case .memcached: "VALUE \(Self.key(0)) 0 \(value)\r\n".utf8.count + value + "\r\nEND\r\n".utf8.count
        }
    }
}
