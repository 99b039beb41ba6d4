import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { connectOver } from '../../ees/adapters/connect.ts'
import { eesFolder } from '../../ees/adapters/ees-folder.ts'
import type { Connect } from '../../ees/connection.ts'
import { openRegistration, RefusedByServer, type Registration, readBundle } from '../../ees/index.ts'
import { onboardEes } from '../../ees/onboarding/onboard-ees.ts'
import { systemClock } from '../../ports/clock.ts'
import { systemRandom } from '../../ports/random.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import type { EcsOfEdge, Edge } from './edge.ts'
import { type Audience, type Figure, play, type Stage } from './figure.ts'

const FIGURE = 'TR 33.839 6.Y.2'

/** An EES that this edge has, or will have. */
export interface NewEes {
  readonly name: string
  readonly fqdn: Fqdn
}

/** P1: an EES goes from a bundle to a registered, certified server. */
export async function playOnboarding(
  edge: Edge,
  ecs: EcsOfEdge,
  { name, fqdn }: NewEes,
  audience: Audience,
): Promise<Figure> {
  return play('P1', `${name} onboards at ${ecs.name}`, audience, async (stage) => {
    const folder = join(edge.folder, name)
    const bundle = await stage.step(
      { clause: `${FIGURE} step 1`, from: 'operator', to: name },
      `onboarding credential, out of band: address, root and single-use token for ${fqdn}`,
      () => ecs.operator.invite({ eesId: name, fqdn }),
    )
    const ports = { clock: systemClock, random: systemRandom, wait, connect: watched(stage, name, ecs, edge) }
    const presentation = { eesProf: profileOf(name, fqdn) }
    const { registration } = await onboardEes(
      { ...ports, store: eesFolder(folder) },
      readBundle(JSON.stringify(bundle)),
      presentation,
    )
    await writeFile(join(folder, 'resolve.json'), JSON.stringify([...edge.resolve]))
    const { record, credential } = registration
    await stage.step(
      { clause: `${FIGURE} step 5`, from: ecs.server.fqdn, to: name },
      ({ certificates }) =>
        `registration ${record.registrationId}, certificate ${certificates[0]?.serial}, access token`,
      () => ecs.operator.show(record.registrationId),
    )
    const { onboardingToken } = bundle
    await stage.refused(
      { clause: `${FIGURE} step 4`, from: 'stranger', to: ecs.server.fqdn },
      'the same token once more, with another key: refused',
      () => useAgain(edge, JSON.stringify({ ...bundle, onboardingToken }), name, fqdn),
      (error) => error instanceof RefusedByServer && error.code === 'ONBOARDING_TOKEN_USED' && credential !== undefined,
    )
  })
}

export function profileOf(name: string, fqdn: Fqdn) {
  return {
    eesId: name,
    endPt: { fqdn },
    eecRegConf: true,
    easIds: ['eas-video.example.com'],
    svcContSupp: ['SOURCE_EES_EXECUTED'],
    appLocs: [`dnai-${name}`],
  }
}

/** Steps 2 to 4 are told where they happen: on the EES's connection. */
function watched(stage: Stage, name: string, { server: { fqdn: ecs } }: EcsOfEdge, { resolve }: Edge): Connect {
  const connect = connectOver(resolve)
  return (origin, root, credential) => {
    const connection = connect(origin, root, credential)
    return {
      ...connection,
      channelBinding: () =>
        stage.step(
          { clause: `${FIGURE} step 2`, from: name, to: ecs },
          'TLS 1.3; the certificate of the ECS is for its name, under the root of the bundle',
          () => connection.channelBinding(),
        ),
      request: (message) =>
        stage.step(
          { clause: `${FIGURE} steps 3 and 4`, from: name, to: ecs },
          ({ status }) =>
            `EES registration: token, profile, public key with proof of possession; validated, certified: ${status}`,
          () => connection.request(message),
        ),
    }
  }
}

async function useAgain(edge: Edge, bundle: string, name: string, fqdn: Fqdn): Promise<void> {
  const store = eesFolder(join(edge.folder, `stranger-${name}`))
  const ports = { clock: systemClock, random: systemRandom, wait, connect: connectOver(edge.resolve), store }
  await onboardEes(ports, readBundle(bundle), { eesProf: profileOf(name, fqdn) })
}

/** P1, what the registration is for: it is read, replaced, renewed, and ended by its owner. */
export async function playLife(edge: Edge, { name, fqdn }: NewEes, audience: Audience): Promise<Figure> {
  const { fqdn: ecs } = edge.ecs1.server
  return play('P1', `${name} updates, renews and deregisters`, audience, async (stage) => {
    const registration = await registrationOf(edge, name)
    try {
      await stage.step(
        { clause: `${FIGURE}, update; TS 29.558 9.1.2.3.3.2`, from: name, to: ecs },
        'PUT with If-Match: a second EAS is served',
        () =>
          registration.update({
            eesProf: { ...profileOf(name, fqdn), easIds: ['eas-video.example.com', 'eas-game.example.com'] },
          }),
      )
      await stage.step(
        { clause: 'RFC 7030 4.2.2', from: name, to: ecs },
        () => `re-enrolment with a new key: certificate ${registration.certificate.serial}`,
        () => registration.renew({ newKey: true }),
      )
      await stage.step(
        { clause: `${FIGURE}, deregistration; TS 29.558 9.1.2.3.3.3`, from: name, to: ecs },
        'DELETE: certificates, tokens and connections end with the registration',
        () => registration.deregister(),
      )
    } finally {
      registration.close()
    }
  })
}

export function registrationOf({ folder, resolve }: Edge, name: string): Promise<Registration> {
  return openRegistration({ store: join(folder, name), resolve })
}
