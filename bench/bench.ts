import { benchEecTokens } from './eec-tokens.ts'
import { benchForwarding } from './forwarding.ts'
import { benchGrants } from './grants.ts'
import { benchGuard } from './guard.ts'
import { benchOnboarding } from './onboarding.ts'
import { benchProvisioning } from './provisioning.ts'
import { benchRegistrations } from './registrations.ts'

/** Smaller for a look, larger for a figure: EDGEWARD_BENCH_SCALE=0.2 npm run bench */
const scale = Number(process.env['EDGEWARD_BENCH_SCALE'] ?? 1)
const say = (what: string) => process.stderr.write(`measuring ${what}\n`)

say('onboardings')
const results = [await benchOnboarding(8_000 * scale)]
say('token grants')
results.push(await benchGrants(20_000 * scale))
say('token verifications')
results.push(...(await benchGuard(10_000 * scale)))
say('tokens for EESs of this ECS and of another')
const forwarding = await benchForwarding(8_000 * scale)
results.push(...forwarding.results)
say('entitlement tokens')
results.push(await benchEecTokens(10_000 * scale))
say('100,000 registrations')
const bounded = await benchRegistrations(100_000 * Math.min(1, scale))
say('provisioning, and 100,000 subscriptions')
bounded.push(forwarding.bounded, ...(await benchProvisioning(100_000 * Math.min(1, scale))))
process.stdout.write(`${JSON.stringify({ node: process.version, results, bounded }, undefined, 2)}\n`)
