/// The scripts that make tokens invalid.
extension EngineScript {
    /// Arguments: target, fence of an earlier run or -1, the event, whose kind is empty if there is none, then the marks of
    /// a marked token.
    ///
    /// A lease, a denial or a value with a higher fence belongs to a later login and stays: an earlier drop may be repeated.
    /// If the fence of that run is far ahead of the time, as the engine's clock was then, all that there is is dropped.
    static let dropText = """
        local target, given = ARGV[1], tonumber(ARGV[2])
        local last = last_fence()
        if given > plausible(given) then given = math.max(last, now) end
        local function tell(fence) if ARGV[4] ~= '' then event(fence, 3) end end
        local function raise(key, fence)
          local raised = math.max(plausible(tonumber(get(key))), fence)
          redis.call('SET', key, text(raised), 'PX', \(memory))
        end
        if target == 'marked' then
          local matched = 0
          for name = 1, names do
            local value = stored_value(value_key(name))
            if value and value.mark == ARGV[5 + name] then
              matched = math.max(matched, plausible(value.fence))
              redis.call('DEL', value_key(name))
            end
          end
          local fence = given
          if given < 0 then fence = matched > 0 and matched or math.max(last, now) end
          if matched > 0 then
            for name = 1, names do raise(generation_key(name), matched) end
          end
          tell(fence)
          return answer('drop', text(fence))
        end
        local fence = given
        if given < 0 then fence = math.max(last + 1, now, dropped_fence() + 1) end
        local values = {}
        for name = 1, names do
          local lease = stored_lease(name)
          if lease and lease.fence <= fence then redis.call('DEL', lease_key(name)) end
          if target == 'user' then
            for _, value in ipairs(sound('SRANDMEMBER', index_key(name), \(most))) do
              if #value == #value_key(name) then values[#values + 1] = value end
            end
          elseif redis.call('EXISTS', value_key(name)) == 1 then
            values[#values + 1] = value_key(name)
          end
        end
        if target == 'tenant' then raise(GENERATION, fence) end
        for name = 1, names do
          raise(target == 'user' and user_key(name) or generation_key(name), fence)
        end
        redis.call('SET', FENCE, text(math.max(last, fence)), 'PX', \(memory))
        tell(fence)
        local reply = answer('drop', text(fence))
        for _, value in ipairs(values) do reply[#reply + 1] = value end
        return reply
        """

    /// Argument: the fence of the drop.
    ///
    /// The keys after the tenant's are those of the values. The token of a later login has a higher fence and stays.
    static let takeText = """
        local fence = tonumber(ARGV[1])
        local reply = answer('taken')
        for number = 1, #KEYS - base do
          local key = KEYS[base + number]
          local value = stored_value(key)
          if value and value.fence <= fence then
            local left = redis.call('PTTL', key)
            redis.call('DEL', key)
            if left >= 0 then
              for _, part in ipairs({ number - 1, left, text(value.fence), value.epoch, value.sealed }) do
                reply[#reply + 1] = part
              end
            end
          end
        end
        return reply
        """
}
