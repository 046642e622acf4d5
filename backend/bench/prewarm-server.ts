// Our side: the whole service with its default settings but for the rate limit, which a load test exceeds by design.
// Prints its port, a token and a tenant's id as JSON.
import { open, readContext, tokenOptions } from '../cli/context.ts'
import { print } from '../cli/output.ts'
import { startServing } from '../cli/serve.ts'
import { stopInTime, untilStopped } from '../cli/stopping.ts'
import { domains } from '../domains/index.ts'
import { listActiveTenants } from '../engine/tenancy/index.ts'
import { mintToken } from '../http/index.ts'

const SECONDS = 3600

const opened = await open(await readContext(domains), 'tables')
const server = await startServing(opened)
const { secret } = await tokenOptions(opened)
const principal = { subject: 'bench', role: 'superadmin', tenantId: null, teamIds: [] } as const
const token = await mintToken(secret, principal, SECONDS)
const [tenant] = await listActiveTenants(opened.resources.db)
print(JSON.stringify({ port: server.port, token, tenant: tenant?.id }))
await untilStopped((stopped) => stopped)
await stopInTime(opened, server)
