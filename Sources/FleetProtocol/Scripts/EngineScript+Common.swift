/// The parts that scripts share, each of which needs those before it.
extension EngineScript {
    /// The engine's time in milliseconds, and the form of an answer.
    ///
    /// An answer is the outcome, the time, the bucket's level, what is left of the hold and its cause, then the rest. Numbers
    /// are written out, as Lua shortens large ones.
    static let time = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local function text(number) return string.format('%.0f', number) end
        local function answer(outcome, ...) return { outcome, now, -1, -1, '', ... } end
        """

    /// Commands on keys to which somebody else may have written.
    ///
    /// A text is read by `MGET`, which takes a key of another type for none. A command that fails because a key has another
    /// type, or because a stream has no id left, is repeated without the key. Other failures fail again.
    static let keys = """
        local function get(key) return redis.call('MGET', key)[1] end
        local function sound(command, key, ...)
          local reply = redis.pcall(command, key, ...)
          if type(reply) ~= 'table' or not reply.err then return reply end
          local function names(text) return string.find(reply.err, text, 1, true) end
          if names('WRONGTYPE') or names('exhausted') then redis.call('DEL', key) end
          return redis.call(command, key, ...)
        end
        """

    /// The tenant's keys, which come first, and its last fence.
    ///
    /// A fence that is far ahead of the time is a damaged one. It counts as none, so that later fences aren't drawn along.
    static let tenant = """
        local base = 6
        local BUCKET, HOLD, GENERATION, FENCE, EVENTS, COUNT = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
        local function plausible(fence) return fence and fence >= 0 and fence <= now + \(fenceLead) and fence or 0 end
        local function last_fence() return plausible(tonumber(get(FENCE))) end
        local function event_count()
          local count = tonumber(get(COUNT)) or 0
          return count >= 0 and count < \(largestNumber) and count or 0
        end
        """

    /// No keys of the tenant.
    static let withoutTenant = """
        local base = 0
        local GENERATION = nil
        """

    /// The token's keys under each of the caller's names, and the highest fence up to which the token is dropped.
    ///
    /// A generation that no drop can have written is replaced by one that drops all that there is.
    static let names = """
        local names = math.floor((#KEYS - base) / 6)
        local function value_key(name) return KEYS[base + 6 * name - 5] end
        local function lease_key(name) return KEYS[base + 6 * name - 4] end
        local function refusal_key(name) return KEYS[base + 6 * name - 3] end
        local function generation_key(name) return KEYS[base + 6 * name - 2] end
        local function user_key(name) return KEYS[base + 6 * name - 1] end
        local function index_key(name) return KEYS[base + 6 * name] end
        local function dropped_fence()
          local keys = { GENERATION }
          for name = 1, names do
            keys[#keys + 1] = generation_key(name)
            keys[#keys + 1] = user_key(name)
          end
          local highest = 0
          if #keys == 0 then return highest end
          for number, found in ipairs(redis.call('MGET', unpack(keys))) do
            local fence = found and (tonumber(found) or -1) or 0
            if fence ~= plausible(fence) then
              fence = math.max(last_fence(), now)
              redis.call('SET', keys[number], text(fence), 'PX', \(memory))
            end
            highest = math.max(highest, fence)
          end
          return highest
        end
        """

    /// Stored tokens: epoch, fence and mark as text, then the sealed token.
    static let values = """
        local function short(stored) return stored and #stored <= \(longestValue) and stored or nil end
        local function stored_value(key)
          local stored = short(get(key))
          if not stored then return nil end
          local epoch, fence, mark, start = string.match(stored, '^(%S+) (%d+) (%S+) ()')
          if not epoch then return nil end
          return { epoch = epoch, fence = tonumber(fence), mark = mark, sealed = string.sub(stored, start) }
        end
        """

    /// Leases: epoch, fence and nonce as text.
    static let leases = """
        local function stored_lease(name)
          local stored = get(lease_key(name))
          if not stored then return nil end
          local epoch, fence, nonce = string.match(stored, '^(%S+) (%d+) (%S+)$')
          if not epoch then return nil end
          return { epoch = epoch, fence = tonumber(fence), nonce = nonce }
        end
        local function lease_of(nonce)
          for name = 1, names do
            local lease = stored_lease(name)
            if lease and lease.nonce == nonce then return lease, name end
          end
          return nil
        end
        """

    /// The hold and the bucket, which has 60,000 for each call, so that a millisecond adds the calls of a minute.
    ///
    /// A bucket that is gone is full. One from a later time, which a failover can bring, counts from now. The cause of a hold
    /// that is not known is throttling.
    static let bucket = """
        local function hold()
          local cause, left = get(HOLD), redis.call('PTTL', HOLD)
          if cause and left >= 0 then return left, cause == 'paused' and cause or 'throttled' end
          return -1, ''
        end
        local function limited(outcome, level, ...)
          local left, cause = hold()
          return { outcome, now, math.floor(level / 60), left, cause, ... }
        end
        local function read_bucket(rate, burst)
          local full = burst * 60000
          local bucket = sound('HMGET', BUCKET, 'level', 'at')
          local level, at = tonumber(bucket[1]), tonumber(bucket[2])
          if not (level and level >= 0 and at) then return full, now end
          return math.min(full, level + math.max(0, now - at) * rate), at
        end
        local function write_bucket(level, rate, burst)
          sound('HSET', BUCKET, 'level', text(level), 'at', text(now))
          redis.call('PEXPIRE', BUCKET, text(math.max(1, math.ceil((burst * 60000 - level) / rate))))
        end
        local function pay(rate, burst, reserve)
          local level, at = read_bucket(rate, burst)
          local needed = math.min(60000 + reserve * 60, burst * 60000)
          if level < needed then
            if at > now then write_bucket(level, rate, burst) end
            return level, math.ceil((needed - level) / rate)
          end
          write_bucket(level - 60000, rate, burst)
          return level - 60000, 0
        end
        """

    /// The ids of entries, which begin with a time.
    ///
    /// Somebody may have added one with any number. No later entry has a lower one.
    static let ids = """
        local function is_late(id) return tonumber(string.match(id, '^%d+')) > \(latestTime) end
        """

    /// The adding of an event to the stream, which begins anew if its ids have run away.
    static let event = """
        local function event(fence, first)
          local number = event_count() + 1
          redis.call('SET', COUNT, text(number), 'PX', \(memory))
          local function add()
            return sound('XADD', EVENTS, 'MAXLEN', '~', \(events), '*', 'n', text(number), 'f', text(fence),
              'm', ARGV[first], 'k', ARGV[first + 1], 'p', ARGV[first + 2])
          end
          if is_late(add()) then
            redis.call('DEL', EVENTS)
            add()
          end
          redis.call('PEXPIRE', EVENTS, \(memory))
        end
        """
}
