import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { adminClient } from '../../src/ecs/adapters/admin-client.ts'
import { initFolder } from '../../src/ecs/adapters/init-folder.ts'
import { openEcs } from '../../src/ecs/adapters/open-ecs.ts'
import { operatorCommands } from '../../src/ecs/adapters/operator.ts'
import type { Bundle } from '../../src/ecs/operator/invite-ees.ts'
import { withoutListeners } from '../../src/ecs/server/serve-ecs.ts'
import { type Message, openPeer, type Response } from '../../src/http/client.ts'
import { createLog } from '../../src/http/log.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemRandom } from '../../src/ports/random.ts'
import { systemTimers } from '../../src/ports/timers.ts'
import type { Fqdn } from '../../src/spec/identifiers.ts'
import type { EESRegistrationResp } from '../../src/spec/messages/onboarding-information.ts'
import { clientTls } from '../../src/tls/client.ts'
import { type Server, serve, storyFolder } from '../stories/program.ts'
import { bodyOf, newEesKey, onboardingMessage } from './running-ecs.ts'

const ROUNDS = process.env['EDGEWARD_DEEP'] ? 2_000 : 8
const EACH_ROUND = 24
const ECS = 'ecs1.example.com' as Fqdn

interface Attempt {
  readonly bundle: Bundle
  readonly message: Message
}

/** A real process, killed while EESs onboard, again and again; every kill at another moment. */
describe('kill -9 during onboarding', () => {
  let story: Awaited<ReturnType<typeof storyFolder>>
  let attempts: Attempt[]
  let last: Server | undefined
  const acknowledged = new Map<string, EESRegistrationResp>()

  before(async () => {
    story = await storyFolder()
    const environment = {
      clock: systemClock,
      random: systemRandom,
      timers: systemTimers,
      log: createLog('ecs', 'silent'),
    }
    const listen = { address: '127.0.0.1', server: 0, mtls: 0, psk: 0, admin: 0 }
    await initFolder(story.at('ecs'), ECS, { ...environment, listen })
    const opened = await openEcs(story.at('ecs'), environment)
    const operator = operatorCommands(await withoutListeners(opened))
    attempts = await Promise.all(
      Array.from({ length: ROUNDS * EACH_ROUND }, async (_, n) => {
        const bundle = await operator.invite({ eesId: `ees-${n}`, fqdn: `ees-${n}.example.com` })
        return { bundle, message: await onboardingMessage(bundle, newEesKey()) }
      }),
    )
    await opened.close()
  })
  after(async () => {
    await last?.stop('SIGKILL')
    await story.remove()
  })

  const connect = (server: Server, root: string) => {
    const { port } = new URL(server.ready.listeners['server'] ?? '')
    return openPeer(`https://${ECS}:${port}`, clientTls([root]), new Map([[ECS, '127.0.0.1']]))
  }

  function note({ bundle }: Attempt, response: Response | undefined): void {
    if (response?.status !== 201) return
    const answer = bodyOf<EESRegistrationResp>(response)
    const before = acknowledged.get(bundle.eesId)
    acknowledged.set(bundle.eesId, answer)
    if (before === undefined) return
    // THREATS ON-05: whoever asks again gets what the first answer said.
    assert.equal(answer.onboardingInformation?.registrationId, before.onboardingInformation?.registrationId)
    assert.equal(answer.onboardingInformation?.eesCertificate, before.onboardingInformation?.eesCertificate)
  }

  test(`DB-01, CA-04: ${ROUNDS} kills lose nothing acknowledged, honour no token twice, and leave no unknown certificate`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const server = await serve('ecs', 'serve', '--dir', story.at('ecs'))
      // Those of the round before come back: their answers may have been lost.
      const now = attempts.slice(Math.max(0, round - 1) * EACH_ROUND, (round + 1) * EACH_ROUND)
      const peer = connect(server, now[0]?.bundle.root ?? '')
      await peer.socket()
      const answers = now.map((attempt) =>
        peer.request(attempt.message).then(
          (response) => note(attempt, response),
          () => {},
        ),
      )
      const delay = 100 + systemRandom.fraction() * 700
      await new Promise((wait) => setTimeout(wait, delay))
      await server.stop('SIGKILL')
      await Promise.all(answers)
      peer.close()
    }

    last = await serve('ecs', 'serve', '--dir', story.at('ecs'))
    const peer = connect(last, attempts[0]?.bundle.root ?? '')
    const operator = await adminClient(story.at('ecs'))
    for (const [eesId, { eesProf, onboardingInformation }] of acknowledged) {
      const { state, registrationId, eesProf: stored, certificates } = await operator.show(eesId)
      assert.deepEqual([state, registrationId], ['live', onboardingInformation?.registrationId])
      assert.deepEqual(stored, eesProf)
      const serial = new X509Certificate(onboardingInformation?.eesCertificate ?? '').serialNumber.toLowerCase()
      assert.equal(certificates.find((certificate) => certificate.serial === serial)?.state, 'issued')
      // Whatever else was begun for it is revoked, and nothing is left between.
      assert.deepEqual(
        certificates.filter((certificate) => certificate.state === 'intended'),
        [],
      )
    }
    assert.ok(acknowledged.size > 0, 'no onboarding was acknowledged: the kills come too early')

    // Every EES can finish, whenever it was cut off; none is registered twice.
    for (const attempt of attempts) note(attempt, await peer.request(attempt.message))
    assert.equal(acknowledged.size, attempts.length)
    const { ees } = await operator.list()
    assert.equal(new Set(ees.map(({ eesId }) => eesId)).size, ees.length)
    assert.equal((await operator.verifyAudit()).ok, true)
    operator.close()
    peer.close()
    assert.equal(await last.stop(), 0)
  })
})
