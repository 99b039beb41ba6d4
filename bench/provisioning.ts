import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { openEcs } from '../src/ecs/adapters/open-ecs.ts'
import { issueOwn } from '../src/ecs/adapters/own-keys.ts'
import { openProvisioningNotifier } from '../src/ecs/adapters/provisioning-notifier.ts'
import { describeEes } from '../src/ecs/provisioning/describe-ees.ts'
import { provisionService, toEdnConfigInfo } from '../src/ecs/provisioning/provision-service.ts'
import { RegistrationIndex } from '../src/ecs/provisioning/registration-index.ts'
import { digestOf } from '../src/ecs/provisioning/subscriptions.ts'
import type { Registration } from '../src/ecs/registrar/registration.ts'
import { newServerCredential } from '../src/ecs/server/server-certificate.ts'
import type { EesId, Fqdn, RegistrationId } from '../src/spec/identifiers.ts'
import type { EecId } from '../src/spec/subscriber-identifiers.ts'
import { scriptChild } from './child.ts'
import type { Bounded } from './result.ts'
import { environment, prepare } from './setting.ts'

const EEC = 'eec-1' as EecId
const FAR = Date.now() + 365 * 86_400_000
/** EESs that serve one cell, however many there are, and EASs in the whole network. */
const [IN_ONE_CELL, EASS] = [8, 500]

const hex = (value: number) => value.toString(16).padStart(9, '0')

function registration(n: number): Registration {
  const eesId = `ees-${n}` as EesId
  const cells = Array.from({ length: 4 }, (_, k) => ({
    plmnId: { mcc: '001', mnc: '01' },
    nrCellId: hex(Math.floor(n / 2) + k),
  }))
  return {
    registrationId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as RegistrationId,
    eesId,
    fqdn: `ees-${n}.example.com` as Fqdn,
    eesProf: {
      eesId,
      endPt: { fqdn: `ees-${n}.example.com` },
      eecRegConf: true,
      easIds: [`eas-${n % EASS}`, `eas-${(n * 7) % EASS}`, 'eas-everywhere'],
      svcArea: { topServAr: { ncgis: cells } },
    },
    version: 1,
    state: 'live',
    expiresAt: FAR,
  }
}

function indexOf(count: number): RegistrationIndex {
  const index = new RegistrationIndex((each) => describeEes(each, ['EDGE_ACCESS_TOKEN', 'ENTITLEMENT_TOKEN']))
  for (let n = 0; n < count; n++) index.put(registration(n))
  return index
}

/** What an ECS does for one request, between its content and its answer; milliseconds, the median of many. */
function medianOfRequests(index: RegistrationIndex, count: number): number {
  const ecs = { findEess: (wanted: Parameters<typeof index.find>[0]) => index.find(wanted, Date.now(), 100) }
  const peer = { eecIds: new Set([EEC]) }
  const times: number[] = []
  for (let n = 0; n < 5_000; n++) {
    const body = {
      eecId: EEC,
      acProfs: [{ acId: 'ac', eass: [{ easId: n % 2 === 0 ? 'eas-everywhere' : `eas-${n % EASS}` }] }],
      locInf: { cellId: hex((n * 131) % Math.max(1, Math.floor(count / 2))) },
    }
    const start = performance.now()
    const { eess } = provisionService(ecs, peer, body)
    JSON.stringify({ ednCnfgInfo: toEdnConfigInfo(eess) })
    times.push(performance.now() - start)
    if (eess.length > IN_ONE_CELL) throw new Error('more EESs than a cell has')
  }
  return times.sort((a, b) => a - b)[times.length / 2] ?? 0
}

/** Provisioning with EAS and area filters, and how it grows; then one change that many wait for. */
export async function benchProvisioning(subscribers: number): Promise<Bounded[]> {
  const medians = [1_000, 10_000, 100_000].map((count) => [count, medianOfRequests(indexOf(count), count)] as const)
  const [[, few], [, some], [, many]] = medians as [[number, number], [number, number], [number, number]]
  return [
    { name: 'provisioning request, 10,000 EESs, median', value: rounded(some), unit: 'ms', atMost: 2 },
    // The number grows by a hundred, its logarithm by less than two.
    { name: 'provisioning request, 100,000 EESs against 1,000', value: rounded(many / few), unit: 'times', atMost: 2 },
    ...(await benchNotifications(subscribers)),
  ]
}

/**
 * By the time that the thread has worked, not by the clock: what the machine does for others is not ours.
 *
 * @returns a function that ends it and tells the longest turn, in milliseconds
 */
function watchTurns(): () => number {
  let [longest, last, ended] = [0, worked(), false]
  const look = () => {
    const now = worked()
    longest = Math.max(longest, now - last)
    last = now
    if (!ended) setImmediate(look)
  }
  setImmediate(look)
  return () => {
    ended = true
    return longest
  }
}

function worked(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

const rounded = (value: number) => Math.round(value * 1_000) / 1_000

/** A real store, a real notifier, and a receiver in another process. */
async function benchNotifications(count: number): Promise<Bounded[]> {
  const { ecs: folder, remove } = await prepare()
  const file = join(folder, 'ecs.yaml')
  const provisioning = {
    notificationHosts: ['.apps.example'],
    notificationNetworks: ['127.0.0.0/8'],
    subscriptionsPerEec: 10_000,
    subscriptions: 10_000_000,
  }
  const resolve = { 'cb1.apps.example': '127.0.0.1' }
  writeFileSync(file, stringify({ ...(parse(readFileSync(file, 'utf8')) as object), provisioning, resolve }))
  const ecs = await openEcs(folder, environment)
  const apiRoot = 'https://ecs1.example.com'
  const crlDistributionPoint = `${apiRoot}/crl/ecs-issuer.crl`
  const credential = await newServerCredential(ecs, { apiRoot })
  const subject = { role: 'ecs', fqdn: 'cb1.apps.example' as Fqdn } as const
  const own = await issueOwn(
    ecs.ca.present().ecsIssuer,
    subject,
    { now: Date.now(), crlDistributionPoint },
    environment.random,
  )
  const chain = own.pem + readFileSync(join(folder, 'ca', 'ecs-issuer.crt'), 'utf8')
  const key = own.key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const receiver = await scriptChild('receiver.ts', ...[chain, key].map((text) => Buffer.from(text).toString('base64')))
  const { port } = new URL(receiver.listeners['server'] ?? '')

  const index = indexOf(1_000)
  const findEess = (wanted: Parameters<typeof index.find>[0]) => index.find(wanted, Date.now(), 100)
  const { subscriptions, notifications, close } = await openProvisioningNotifier(ecs, { findEess }, () => credential)
  const message = {
    eecId: EEC,
    acProfs: [{ acId: 'ac', eass: [{ easId: 'eas-rare' }] }],
    notificationDestination: `https://cb1.apps.example:${port}/eec`,
  }
  for (let from = 0; from < count; from += 500) {
    const some = Array.from({ length: Math.min(500, count - from) }, (_, n) => {
      const subscription = {
        subscriptionId: `sub-${String(from + n).padStart(9, '0')}`,
        message,
        version: 1,
        told: digestOf([]),
        expiresAt: FAR,
      }
      return subscriptions.addSubscription(
        { ...subscription, eecId: `eec-${from + n}` as EecId },
        '0123456789abcdef0123456789abcdef',
      )
    })
    await Promise.all(some)
  }
  const changed = registration(1)
  const longestTurn = watchTurns()
  const start = performance.now()
  notifications.changed(index.put({ ...changed, eesProf: { ...changed.eesProf, easIds: ['eas-rare'] } }))
  await notifications.idle()
  const seconds = (performance.now() - start) / 1_000
  const turn = longestTurn()
  const left = await ecs.store.read<{ untold: number }>({
    sql: 'select count(*) as untold from provisioning_subscription where told = ?',
    parameters: [digestOf([])],
  })
  await close()
  await receiver.stop()
  await ecs.close()
  await remove()
  return [
    {
      name: `longest turn of the event loop while ${count} are notified, processor time`,
      value: rounded(turn),
      unit: 'ms',
      atMost: 50,
    },
    {
      name: `notifying ${count} of one change`,
      value: rounded(seconds),
      unit: 's',
      atMost: Math.max(1, count / 1_000),
    },
    { name: 'of them not notified', value: left[0]?.untold ?? count, unit: 'subscriptions', atMost: 0 },
  ]
}
