/// A dictionary in parts that grow one by one.
///
/// A dictionary that is full moves all its elements, which takes milliseconds if there are many. Here an insertion moves
/// those of one part.
struct ShardedDictionary<Key: Hashable, Value> {
    /// The number of parts, a power of two: of the most waiters, each has a few hundred.
    private static var shardCount: Int { 256 }

    private var shards = ContiguousArray<[Key: Value]>(repeating: [:], count: shardCount)

    subscript(key: Key) -> Value? {
        get { shards[Self.shard(of: key)][key] }
        _modify { yield &shards[Self.shard(of: key)][key] }
    }

    private static func shard(of key: Key) -> Int { key.hashValue & (shardCount - 1) }
}
