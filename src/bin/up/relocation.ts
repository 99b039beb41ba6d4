import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { authenticate } from '../../eec/index.ts'
import { asEesOperator } from '../../ees/adapters/as-operator.ts'
import { onboard, openRegistration, RefusedByServer } from '../../ees/index.ts'
import { createLog } from '../../http/log.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { parseEecId } from '../../spec/subscriber-identifiers.ts'
import { credentialFile } from '../../ue/index.ts'
import { EEC } from './core.ts'
import { ECS3, type EcsOfEdge, type Edge, EES1, EES2, EES3, EES4 } from './edge.ts'
import { type Audience, type Figure, play, type Stage } from './figure.ts'
import { profileOf } from './onboarding.ts'
import type { ServerProcess } from './process.ts'

const SCOPE = 'eees-eeccontextreloc'

/** An EES that serves, and the ECS that it belongs to. */
interface ServingEes {
  readonly name: string
  readonly fqdn: Fqdn
  readonly ecs: EcsOfEdge
  readonly server: ServerProcess
}

/**
 * P4: the context of an EEC moves from one EES to another, within one ECS, across two of different operators, and
 * across three in a row. Each EES asks its own ECS; the ECS of the target signs.
 */
export async function playRelocation(edge: Edge, audience: Audience): Promise<Figure[]> {
  const ees1 = await serve(edge, edge.ecs1, 'ees1', EES1)
  const ees2 = await serve(edge, edge.ecs1, 'ees2', EES2)
  const played = [
    await playWithin(edge, [ees1, ees2], audience),
    await playAcross(edge, ees2, audience),
    await playRow(edge, ees1, audience),
  ]
  await Promise.all([ees1, ees2].map(({ server }) => server.stop()))
  return played
}

async function serve(edge: Edge, ecs: EcsOfEdge, name: string, fqdn: Fqdn): Promise<ServingEes> {
  const server = await edge.start(name, 'ees', 'serve', '--dir', join(edge.folder, name))
  return { name, fqdn, ecs, server }
}

function playWithin(edge: Edge, [source, target]: readonly [ServingEes, ServingEes], audience: Audience) {
  return play('P4', 'within one ECS: ees1 to ees2', audience, async (stage) => {
    await allow(stage, edge.ecs1, { id: 'relocation', fqdn: '*.edge.example.com', target: '*' })
    await registerEec(stage, edge, source)
    await discover(stage, edge, source, target)
    await relocate(stage, edge, source, target)
    await refuseOthers(stage, edge, source, target)
  })
}

function playAcross(edge: Edge, source: ServingEes, audience: Audience) {
  return play('P4', 'across two ECSs: ees2 at ecs1 to ees3 at ecs2', audience, async (stage) => {
    await trust(stage, edge.ecs1, edge.ecs2, 'edge.example.net')
    await trust(stage, edge.ecs2, edge.ecs1, 'edge.example.com')
    const rule = { id: 'relocation-from-ecs1', ecs: edge.ecs1.server.fqdn, fqdn: '*.edge.example.com' }
    await allow(stage, edge.ecs2, { ...rule, target: EES3 })
    const target = await serve(edge, edge.ecs2, 'ees3', EES3)
    await discover(stage, edge, source, target)
    await relocate(stage, edge, source, target)
    await refuseOthers(stage, edge, source, target)
    await target.server.stop()
  })
}

/** ecs1 reaches ecs3 through ecs2 alone; ecs3 knows the keys of ecs1, and takes nothing of ecs2's word for it. */
function playRow(edge: Edge, source: ServingEes, audience: Audience) {
  return play('P4', 'three ECSs in a row: ees1 at ecs1 to ees4 at ecs3, through ecs2', audience, async (stage) => {
    const ecs3 = await edge.startEcs(ECS3)
    await trust(stage, edge.ecs2, ecs3, 'edge.example.org')
    await trust(stage, ecs3, edge.ecs2, 'edge.example.net')
    await trust(stage, edge.ecs1, ecs3, 'edge.example.org', edge.ecs2)
    await trust(stage, ecs3, edge.ecs1, 'edge.example.com', edge.ecs2)
    const rule = { id: 'relocation-from-ecs1', ecs: edge.ecs1.server.fqdn, fqdn: '*.edge.example.com' }
    await allow(stage, ecs3, { ...rule, target: EES4 })
    const target = await onboarded(edge, ecs3)
    await registerEec(stage, edge, source)
    await relocate(stage, edge, source, target)
    await target.server.stop()
  })
}

interface Rule {
  readonly id: string
  readonly fqdn: string
  readonly target: string
  readonly ecs?: string
}

/** Nothing is allowed that no rule allows: TS 33.501 13.3.0. */
function allow(
  stage: Stage,
  { server, folder, operator }: EcsOfEdge,
  { id, fqdn, target, ecs }: Rule,
): Promise<unknown> {
  const origin = ecs === undefined ? '' : `, ecs: ${ecs}`
  const selects = `fqdn: '${fqdn}', target: '${target}', scopes: [${SCOPE}], eecIds: ['*']${origin}`
  const arrow = { clause: 'TS 33.501 13.3.0', from: 'operator', to: server.fqdn }
  return stage.step(arrow, `rule ${id}: allows ${fqdn} tokens for ${target}, each for one EEC`, async () => {
    await appendFile(join(folder, 'policy.yaml'), `  - { id: ${id}, effect: allow, ${selects} }\n`)
    await operator.reloadPolicy()
  })
}

/** @param via - who passes requests on */
function trust(stage: Stage, one: EcsOfEdge, other: EcsOfEdge, suffix: string, via?: EcsOfEdge): Promise<unknown> {
  const { fqdn, listeners } = other.server
  const { port } = new URL(listeners['server'] ?? '')
  const way = via === undefined ? '' : `, through ${via.name}`
  const arrow = { clause: 'TS 33.501 13.4.1.1.3', from: 'operator', to: one.server.fqdn }
  return stage.step(arrow, `trusts ${fqdn} for *.${suffix}${way}: its trust bundle is here`, async () => {
    const { known } = await one.operator.addPeer({
      fqdn,
      apiRoot: `https://${fqdn}:${port}`,
      roots: await readFile(join(other.folder, 'ca', 'root.crt'), 'utf8'),
      nameSpace: [suffix],
      ...(via && { via: via.server.fqdn }),
    })
    if (!known) throw new Error(`${one.name} has no trust bundle of ${other.name}`)
  })
}

/** The EEC of the device registers at its first EES: EDGE-4, then EDGE-1. */
async function registerEec(stage: Stage, edge: Edge, { name, fqdn, ecs, server }: ServingEes): Promise<void> {
  const arrow = { clause: 'TS 24.558 5.2', from: 'EEC', to: fqdn }
  const told = (id: string) => `Eees_EECRegistration: registration ${id}`
  await stage.step(arrow, told, async () => {
    const eecId = parseEecId(EEC)
    if (eecId === undefined) throw new Error('the EEC has no EEC ID')
    const session = await authenticate({
      ecs: `https://${ecs.server.fqdn}:${new URL(ecs.server.listeners['server'] ?? '').port}`,
      root: await readFile(join(ecs.folder, 'ca', 'root.crt'), 'utf8'),
      resolve: edge.resolve,
      credential: credentialFile(edge.ue, eecId),
    })
    try {
      const found = await session.provision({})
      const info = found?.ednCnfgInfo?.flatMap(({ eess }) => eess).find(({ eesId }) => eesId === name)
      if (info === undefined) throw new Error(`the ECS does not name ${name}`)
      const { port } = new URL(server.listeners['server'] ?? '')
      const ees = await session.openEes(info, { apiRoot: `https://${fqdn}:${port}` })
      try {
        return (await ees.register({})).registrationId
      } finally {
        ees.close()
      }
    } finally {
      session.close()
    }
  })
}

/**
 * The user moves to where another EES is. Which, the ECS of the first knows, or asks the ECSs that it trusts (EDGE-10).
 */
async function discover(stage: Stage, edge: Edge, source: ServingEes, target: ServingEes): Promise<void> {
  const registration = await openRegistration({ store: join(edge.folder, source.name), resolve: edge.resolve })
  const [easId = ''] = profileOf(target.name, target.fqdn).easIds
  const dnai = `dnai-${target.name}`
  const across = source.ecs === target.ecs ? '' : ' and 8.17.2'
  const arrow = { clause: `TS 23.558 8.8.3.3${across}`, from: source.fqdn, to: source.ecs.server.fqdn }
  const asked = across === '' ? '' : `; ${source.ecs.name} has none, and asks ${target.ecs.name}`
  try {
    await stage.step(arrow, `Eecs_TargetEESDiscovery for ${easId} at ${dnai}: ${target.fqdn}${asked}`, async () => {
      const found = await registration.discoverTargetEess({ easId, dnai })
      const names = found.flatMap(({ eess }) => eess.map(({ endPt }) => endPt?.fqdn))
      if (names.join() !== target.fqdn) throw new Error(`the ECS names ${names.join() || 'nobody'}`)
    })
  } finally {
    registration.close()
  }
}

/** The token first, as the push asks for it by itself; then the push, and where the EEC is after it. */
async function relocate(stage: Stage, edge: Edge, source: ServingEes, target: ServingEes): Promise<void> {
  const registration = await openRegistration({ store: join(edge.folder, source.name), resolve: edge.resolve })
  const ecs = source.ecs.server.fqdn
  const asked = { scope: SCOPE, target: target.fqdn, eecId: EEC }
  try {
    const arrow = { clause: 'TS 33.501 13.4.1.1.3', from: source.fqdn, to: ecs }
    await stage.step(
      arrow,
      ({ accessToken }) => `token request for ${target.fqdn} and ${EEC}: signed by ${issuerOf(accessToken)}`,
      () => registration.token(asked),
    )
    const { port } = new URL(target.server.listeners['mtls'] ?? '')
    await stage.step(
      { clause: 'TS 29.558 8.3, TS 23.558 8.9.2', from: source.fqdn, to: target.fqdn },
      ({ implReg }) => `Eees_EECContextRelocation, push: the EEC is registered there as ${implReg?.regId ?? 'nobody'}`,
      () => eecsOf(edge, source, (ees) => ees.relocate(EEC, `https://${target.fqdn}:${port}`)),
    )
    await stage.step(
      { clause: 'TS 23.558 8.9.2', from: 'operator', to: source.fqdn },
      `the EEC is at ${target.name}, and at ${source.name} no more`,
      async () => {
        if (!(await isRegistered(edge, target))) throw new Error(`the EEC is not at ${target.name}`)
        if (await isRegistered(edge, source)) throw new Error(`the EEC is still at ${source.name}`)
      },
    )
  } finally {
    registration.close()
  }
}

async function refuseOthers(stage: Stage, edge: Edge, source: ServingEes, target: ServingEes): Promise<void> {
  const registration = await openRegistration({ store: join(edge.folder, source.name), resolve: edge.resolve })
  const arrow = { clause: 'TS 33.501 13.4.1.1.2 step 1', from: source.fqdn, to: source.ecs.server.fqdn }
  const suffix = target.fqdn.slice(target.fqdn.indexOf('.'))
  const isRefused = (error: unknown) => error instanceof RefusedByServer && error.code === 'invalid_scope'
  try {
    await stage.refused(
      arrow,
      'a target that no ECS has: invalid_scope',
      () => registration.token({ scope: SCOPE, target: `nobody${suffix}`, eecId: EEC }),
      isRefused,
    )
    await stage.refused(
      arrow,
      'a token for every EEC, where rules speak of one: invalid_scope',
      () => registration.token({ scope: SCOPE, target: target.fqdn }),
      isRefused,
    )
  } finally {
    registration.close()
  }
}

async function isRegistered(edge: Edge, ees: ServingEes): Promise<boolean> {
  const eecs = await eecsOf(edge, ees, (operator) => operator.listEecs('', 100))
  return eecs.some(({ eecId }) => eecId === EEC)
}

async function eecsOf<Result>(
  edge: Edge,
  { name }: ServingEes,
  command: Parameters<typeof asEesOperator<Result>>[1],
): Promise<Result> {
  const folder = join(edge.folder, name)
  const registration = await openRegistration({ store: folder, resolve: edge.resolve })
  const options = { folder, registration, log: createLog('ees', 'silent'), resolve: edge.resolve }
  return asEesOperator(options, command).finally(() => registration.close())
}

/** An EES of the third ECS, which onboards as the others did. */
async function onboarded(edge: Edge, ecs: EcsOfEdge): Promise<ServingEes> {
  const name = 'ees4'
  const store = join(edge.folder, name)
  const bundle = await ecs.operator.invite({ eesId: name, fqdn: EES4 })
  const presentation = { eesProf: profileOf(name, EES4) }
  const registration = await onboard(JSON.stringify(bundle), presentation, { store, resolve: edge.resolve })
  registration.close()
  await writeFile(join(store, 'resolve.json'), JSON.stringify([...edge.resolve]))
  return serve(edge, ecs, name, EES4)
}

/** `iss` of a token, which its holder need not verify to tell about it. */
function issuerOf(token: string): string {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { iss?: string }
  return new URL(claims.iss ?? '').hostname
}
