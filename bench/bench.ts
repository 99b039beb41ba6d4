import { availableParallelism, cpus, loadavg } from 'node:os'
import { benchCore } from './core.ts'
import { benchEecTokens } from './eec-tokens.ts'
import { benchForwarding } from './forwarding.ts'
import { benchGrants } from './grants.ts'
import { benchGuard } from './guard.ts'
import { benchKedgeContexts } from './kedge-contexts.ts'
import { benchOnboarding } from './onboarding.ts'
import { benchProvisioning } from './provisioning.ts'
import { benchPskHandshakes } from './psk.ts'
import { benchRegistrations } from './registrations.ts'

/** Smaller for a look, larger for a figure: EDGEWARD_BENCH_SCALE=0.2 npm run bench */
const scale = Number(process.env['EDGEWARD_BENCH_SCALE'] ?? 1)
const seconds = () => Math.round(performance.now() / 1_000)
/** The load average tells how far a figure can be trusted. */
const load = () => loadavg().map((average) => Math.round(average * 100) / 100)
const say = (what: string) => process.stderr.write(`${seconds()} s, load ${load()[0]}: measuring ${what}\n`)

const before = load()
say('provisioning, and 100,000 subscriptions')
// First, because its turns of the event loop would also collect what the others leave.
const provisioning = await benchProvisioning(100_000 * Math.min(1, scale))
say('onboardings')
const results = await benchOnboarding(8_000 * scale)
say('token grants')
results.push(await benchGrants(15_000 * scale))
say('token verifications')
results.push(...(await benchGuard(10_000 * scale)))
say('tokens for EESs of this ECS and of another')
const forwarding = await benchForwarding(6_000 * scale)
results.push(...forwarding.results)
say('primary authentications and key requests')
results.push(...(await benchCore(2_000 * scale, 6_000 * scale)))
say('PSK handshakes')
const handshakes = await benchPskHandshakes(4_000 * scale)
if (handshakes === undefined) say('nothing: openssl is not installed')
else results.push(handshakes)
say('entitlement tokens')
results.push(await benchEecTokens(10_000 * scale))
say('100,000 registrations')
const bounded = await benchRegistrations(100_000 * Math.min(1, scale))
say('1,000,000 Kedge contexts')
bounded.push(...(await benchKedgeContexts(1_000_000 * Math.min(1, scale))))
bounded.push(forwarding.bounded, ...provisioning)

const machine = {
  processor: cpus()[0]?.model,
  cores: availableParallelism(),
  load: { before, after: load() },
  seconds: seconds(),
}
process.stdout.write(`${JSON.stringify({ node: process.version, machine, results, bounded }, undefined, 2)}\n`)
