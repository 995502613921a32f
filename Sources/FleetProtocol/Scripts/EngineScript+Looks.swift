/// The scripts that look, pay and tell.
extension EngineScript {
    /// Arguments: epoch, least time left, fence to be above, 1 if denials are ignored, rate, burst, then nonce (empty for a
    /// mere look), length of the lease, reserve.
    static let lookText = """
        local epoch, min_left, newer_than = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
        local rate, burst = tonumber(ARGV[5]), tonumber(ARGV[6])
        local nonce, length, reserve = ARGV[7], ARGV[8], tonumber(ARGV[9])
        local dropped = dropped_fence()
        local level = read_bucket(rate, burst)
        for name = 1, names do
          local value = stored_value(value_key(name))
          if value and value.epoch == epoch and plausible(value.fence) > math.max(dropped, newer_than) then
            local left = redis.call('PTTL', value_key(name))
            if left >= min_left then
              return limited('token', level, name - 1, left, text(value.fence), value.epoch, value.sealed)
            end
          end
        end
        if ARGV[4] ~= '1' then
          for name = 1, names do
            local stored = short(get(refusal_key(name)))
            local fence, start = string.match(stored or '', '^(%d+) ()')
            local left = redis.call('PTTL', refusal_key(name))
            if fence and plausible(tonumber(fence)) > dropped and left >= 0 then
              return limited('refused', level, name - 1, left, string.sub(stored, start))
            end
          end
        end
        for name = 1, names do
          local lease = stored_lease(name)
          if lease and lease.epoch == epoch and plausible(lease.fence) > dropped then
            if lease.nonce == nonce then return limited('go', level, text(lease.fence)) end
            local left = redis.call('PTTL', lease_key(name))
            if left >= 0 then return limited('wait', level, left) end
          end
        end
        if nonce == '' then return limited('nothing', level) end
        local held = hold()
        if held >= 0 then return limited('later', level, held) end
        local later
        level, later = pay(rate, burst, reserve)
        if later > 0 then return limited('later', level, later) end
        local fence = math.max(last_fence() + 1, now, dropped + 1)
        if plausible(fence) == 0 then return limited('nothing', level) end
        redis.call('SET', FENCE, text(fence), 'PX', \(memory))
        redis.call('SET', lease_key(1), epoch .. ' ' .. text(fence) .. ' ' .. nonce, 'PX', length)
        return limited('go', level, text(fence))
        """

    /// Arguments: rate, burst, reserve.
    static let payText = """
        local rate, burst, reserve = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local held = hold()
        if held >= 0 then return limited('later', read_bucket(rate, burst), held) end
        local level, later = pay(rate, burst, reserve)
        if later > 0 then return limited('later', level, later) end
        return limited('done', level)
        """

    /// Arguments: rate, burst, the highest fence that the caller knows.
    static let stateText = """
        local known, fence = plausible(tonumber(ARGV[3])), last_fence()
        if known > fence then
          fence = known
          redis.call('SET', FENCE, text(fence), 'PX', \(memory))
        end
        local last = sound('XREVRANGE', EVENTS, '+', '-', 'COUNT', 1)[1]
        local id = last and last[1] or '0-0'
        if is_late(id) then
          redis.call('DEL', EVENTS)
          id = '0-0'
        end
        local level = read_bucket(tonumber(ARGV[1]), tonumber(ARGV[2]))
        return limited('done', level, text(event_count()), id, text(fence))
        """

    /// Arguments: the note, an earlier one of the same machine that is removed or nothing, and the time for which a note
    /// counts.
    ///
    /// The only key is the set. A note of a later time was written by a damaged clock or by somebody else.
    static let presentText = """
        local life = tonumber(ARGV[3])
        if ARGV[2] ~= '' then sound('ZREM', KEYS[1], ARGV[2]) end
        sound('ZADD', KEYS[1], text(now), ARGV[1])
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - life))
        redis.call('ZREMRANGEBYSCORE', KEYS[1], text(now + life), '+inf')
        local reply = answer('present')
        for _, note in ipairs(redis.call('ZRANGE', KEYS[1], -\(mostNotes), -1)) do
          if #note <= \(longestNote) then reply[#reply + 1] = note end
        end
        return reply
        """

    /// Argument: length.
    ///
    /// The only key is the name.
    static let claimText = """
        if redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then return answer('done') end
        return answer('lost')
        """

    /// Arguments: the time left, negative to end the hold, its cause, and the event.
    static let holdText = """
        local wanted = tonumber(ARGV[1])
        local left = redis.call('PTTL', HOLD)
        if wanted < 0 then
          if redis.call('DEL', HOLD) > 0 then event(0, 3) end
        elseif wanted > left then
          redis.call('SET', HOLD, ARGV[2], 'PX', ARGV[1])
          event(0, 3)
        end
        return answer('done')
        """
}
