// What must happen in Redis without anything in between. Nothing here scans the keyspace.

/**
 * KEYS lease, epoch of tenant, of report, of all, version. ARGV token, lease ms, name for a new epoch or version, lifetime of
 * those in ms. Returns {1 or 0, the three epochs, the version}.
 */
const claim = `
local won = redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
local answer = { won and 1 or 0 }
for i = 2, 5 do
  redis.call('set', KEYS[i], ARGV[3], 'NX')
  redis.call('pexpire', KEYS[i], ARGV[4])
  answer[i] = redis.call('get', KEYS[i])
end
return answer`

/** KEYS lease. ARGV token, lease ms. */
const renew = `
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end
return 0`

/**
 * KEYS entry, lease, three epochs, version, set of the tenant's keys, set of the report's keys, set of the reports' sets.
 * ARGV token, bytes, lifetime ms, three epochs, version, lifetime of the sets in ms.
 */
const write = `
if redis.call('get', KEYS[2]) ~= ARGV[1] then return 'fenced' end
redis.call('del', KEYS[2])
for i = 1, 3 do
  if redis.call('get', KEYS[2 + i]) ~= ARGV[3 + i] then return 'busted' end
end
redis.call('set', KEYS[1], ARGV[2], 'PX', ARGV[3])
for i = 7, 8 do
  redis.call('sadd', KEYS[i], KEYS[1])
  redis.call('pexpire', KEYS[i], ARGV[8])
end
redis.call('sadd', KEYS[9], KEYS[8])
return redis.call('get', KEYS[6]) == ARGV[7] and 'written' or 'outdated'`

/** KEYS lease. ARGV token. */
const release = `
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0`

/** KEYS set of keys. ARGV how many at most. Takes keys off the set and drops their entries; returns {taken off, dropped}. */
const sweep = `
local keys = redis.call('spop', KEYS[1], ARGV[1])
if #keys == 0 then return { 0, 0 } end
return { #keys, redis.call('unlink', unpack(keys)) }`

export const scripts = {
  prewarmClaim: { numberOfKeys: 5, lua: claim },
  prewarmRenew: { numberOfKeys: 1, lua: renew },
  prewarmWrite: { numberOfKeys: 9, lua: write },
  prewarmRelease: { numberOfKeys: 1, lua: release },
  prewarmSweep: { numberOfKeys: 1, lua: sweep },
} as const
