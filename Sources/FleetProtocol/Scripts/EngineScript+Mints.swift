/// The scripts that end or extend a mint.
extension EngineScript {
    /// Arguments: epoch, nonce, fence, mark, time left, sealed token, the event, and the engine's time at the token's end or
    /// -1.
    ///
    /// The time left is that at the sender, and so counts the way to the engine, which the end doesn't. The end would be
    /// wrong if the engine's clock had been set meanwhile.
    static let storeText = """
        local epoch, nonce, fence, left = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[5])
        local ends = tonumber(ARGV[10])
        if ends >= 0 then left = math.min(left, ends - now) end
        local lease, found = lease_of(nonce)
        if not lease or lease.fence ~= fence or lease.epoch ~= epoch then return answer('lost') end
        redis.call('DEL', lease_key(found))
        if fence <= dropped_fence() then return answer('dropped') end
        if left < 1 then
          event(0, 7)
          return answer('lost')
        end
        for name = 1, names do
          redis.call('DEL', refusal_key(name))
          if name > 1 then redis.call('DEL', value_key(name)) end
        end
        local stored = epoch .. ' ' .. ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. ARGV[6]
        redis.call('SET', value_key(1), stored, 'PX', text(left))
        sound('SADD', index_key(1), value_key(1))
        if redis.call('PTTL', index_key(1)) < left then redis.call('PEXPIRE', index_key(1), text(left)) end
        event(0, 7)
        return answer('done')
        """

    /// Arguments: nonce, time left of a denial or 0, sealed denial, and the event.
    static let releaseText = """
        local lease, found = lease_of(ARGV[1])
        if not lease then return answer('lost') end
        redis.call('DEL', lease_key(found))
        if tonumber(ARGV[2]) > 0 then
          redis.call('SET', refusal_key(1), text(lease.fence) .. ' ' .. ARGV[3], 'PX', ARGV[2])
        end
        event(0, 4)
        return answer('done')
        """

    /// Arguments: nonce, length.
    static let renewText = """
        local lease, found = lease_of(ARGV[1])
        if not lease then return answer('lost') end
        redis.call('PEXPIRE', lease_key(found), ARGV[2])
        return answer('done')
        """

    /// Arguments: epoch, fence, the number of the names that have the token, mark, sealed token.
    ///
    /// The token keeps the time that it has left. Where memory is short nothing happens, as the writing comes first.
    static let moveText = """
        local epoch, fence, from = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
        local value, left = stored_value(value_key(from)), redis.call('PTTL', value_key(from))
        if not value or value.epoch ~= epoch or value.fence ~= fence or left < 1 or fence <= dropped_fence() then
          return answer('lost')
        end
        local present = stored_value(value_key(1))
        if present and present.fence >= fence then return answer('lost') end
        local stored = epoch .. ' ' .. ARGV[2] .. ' ' .. ARGV[4] .. ' ' .. ARGV[5]
        redis.call('SET', value_key(1), stored, 'PX', text(left))
        sound('SADD', index_key(1), value_key(1))
        if redis.call('PTTL', index_key(1)) < left then redis.call('PEXPIRE', index_key(1), text(left)) end
        redis.call('DEL', value_key(from))
        return answer('done')
        """
}
