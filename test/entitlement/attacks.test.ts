import assert from 'node:assert/strict'
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { pino } from 'pino'
import { readCertificate } from '../../src/certificates/certificate.ts'
import { systemClock } from '../../src/ports/clock.ts'
import { systemTimers, type Timers } from '../../src/ports/timers.ts'
import {
  acquisition,
  anEecKey,
  authenticate,
  type Device,
  ECS,
  naiOf,
  OTHER_SUPI,
  operatorToken,
  type RunningEntitlement,
  runEntitlement,
  SUPI,
  TERMINAL,
  usimOf,
} from './an-entitlement-server.ts'

const started = async (device: Device, supi: string = SUPI) => {
  const told = await device.post({ ...TERMINAL, EAP_ID: naiOf(supi), ...acquisition() }, await device.proof())
  return { ...told, usim: usimOf(told.body['eap-relay-packet'] ?? '', supi) }
}

describe('attacks on the entitlement server', () => {
  let ent: RunningEntitlement
  let device: Device
  const outcome = ({ status, body }: { status: number; body: { cause?: string } }) => [status, body.cause]
  before(async () => {
    const requests = { perSecond: 100_000, burst: 100_000 }
    ent = await runEntitlement({ configuration: { requests } })
    device = ent.device
    const { operator } = ent.server
    await operator.allow({ supi: SUPI, eecId: 'eec-1', gpsi: 'msisdn-491700000001' })
    await operator.allow({ supi: OTHER_SUPI, eecId: 'eec-2', gpsi: 'msisdn-491700000002' })
  })
  after(() => ent.close())
  /** What is refused leaves the store as it was. */
  const withoutTrace = async (attack: () => Promise<void>) => {
    const before = await ent.kept()
    await attack()
    assert.deepEqual(await ent.kept(), before)
  }

  test('EN-01: refuses a token for an EEC ID or a number that is not of the authenticated subscription', async () => {
    const headers = await device.proof()
    const foreign = ['eec-2', 'eec-3', 'EEC-1', 'eec-1 ', 'eec-1/', 'eec-1,eec-2', '*', '../eec-2', SUPI, naiOf(SUPI)]
    await withoutTrace(async () => {
      for (const eecId of foreign) {
        assert.deepEqual(
          outcome(await authenticate(device, acquisition(eecId), { headers })),
          [403, 'NOT_ENTITLED'],
          eecId,
        )
      }
      for (const msisdn of ['491700000002', '+491700000002', '49170000000', '4917000000011', 'msisdn-491700000001']) {
        const told = await authenticate(device, { ...acquisition(), msisdn }, { headers })
        assert.deepEqual(outcome(told), [403, 'NOT_ENTITLED'], msisdn)
      }
    })
    // Who claims the other subscriber does not become it by the key of this one.
    const token = await operatorToken(device)
    const [, claims = ''] = token.split('.')
    const { sub, gpsi } = JSON.parse(Buffer.from(claims, 'base64url').toString())
    assert.deepEqual([sub, gpsi], ['eec-1', 'msisdn-491700000001'])
    const own = await authenticate(device, { ...acquisition(), msisdn: '+491700000001' }, { headers })
    assert.equal(own.status, 200)
  })

  test('EN-02: gives a token for one server only, and only bound to a key', async () => {
    const headers = await device.proof()
    const scopes = [`edge:${ECS} edge:ees.example.com`, ECS, 'edge:*', 'edge:', `edge:${ECS}.`, `EDGE:${ECS}`, '']
    await withoutTrace(async () => {
      for (const scope of [...scopes, `edge:${ECS.toUpperCase()}`, 'edge:192.0.2.1']) {
        const told = await authenticate(device, { ...acquisition(), scope }, { headers })
        assert.equal(told.status, 400, scope)
      }
      assert.deepEqual(outcome(await authenticate(device, acquisition())), [400, 'MANDATORY_IE_MISSING'])
      const wrong = { dpop: headers.dpop.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')) }
      assert.deepEqual(outcome(await authenticate(device, acquisition(), { headers: wrong })), [
        401,
        'DPOP_PROOF_INVALID',
      ])
    })
    const told = await authenticate(device, acquisition(), { headers })
    assert.ok(told.body.ap2015['OperatorToken'])
  })

  test('EN-03: refuses an EAP answer that comes again, in another session, out of order or from another terminal', async () => {
    const isRefused = (answer: string, cookie: string, why: string, headers = {}) =>
      withoutTrace(async () => {
        const told = await device.relay(answer, cookie, headers)
        assert.deepEqual(outcome(told), [401, 'EAP_EXCHANGE_INVALID'], why)
      })
    const first = await started(device)
    assert.equal((await device.relay(first.usim.response(), first.cookie)).status, 200)
    await isRefused(first.usim.response(), first.cookie, 'again')

    const [a, b] = [await started(device), await started(device, OTHER_SUPI)]
    await isRefused(a.usim.response(), b.cookie, 'in the session of another')
    await isRefused(b.usim.response(), b.cookie, 'after that')
    assert.equal((await device.relay(a.usim.response(), a.cookie)).status, 200)

    const next = await started(device)
    await isRefused(next.usim.response(), '', 'without a session')
    const two = `${next.cookie}; ${next.cookie}`
    await isRefused(next.usim.response(), two, 'in two sessions')
    const agent = { 'user-agent': 'PRD-TS43 term-Another/Terminal' }
    await isRefused(next.usim.response(), next.cookie, 'elsewhere', agent)

    const synchronising = await started(device)
    const again = await device.relay(synchronising.usim.syncFailure(), synchronising.cookie)
    assert.equal(again.status, 200)
    await isRefused(synchronising.usim.response(), again.cookie, 'to the old one')

    // The nearest honest exchange goes through, on two connections and with the second challenge.
    const honest = await started(device)
    const resynchronised = await ent.anotherDevice().relay(honest.usim.syncFailure(2 ** 41), honest.cookie)
    const { response } = usimOf(resynchronised.body['eap-relay-packet'] ?? '')
    const done = await device.relay(response(), resynchronised.cookie)
    assert.ok(done.body.ap2015['OperatorToken'])
  })

  test('EN-03: a temporary token works once, for its operations, terminal and app', async () => {
    const asked = { operation: 'AcquireTemporaryToken', operation_targets: 'AcquireOperatorToken' }
    const acquire = async () => (await authenticate(device, asked)).body.ap2015['TemporaryToken'] ?? ''
    const headers = await device.proof()
    const use = (temporary_token: string, change: object = acquisition()) =>
      device.post({ ...TERMINAL, temporary_token, ...change }, headers)
    const token = await acquire()
    assert.equal((await use(token)).status, 200)
    assert.deepEqual(outcome(await use(token)), [401, 'TEMPORARY_TOKEN_INVALID'], 'twice')
    assert.deepEqual(outcome(await use(await acquire(), asked)), [403, 'POLICY_DENIED'], 'for itself')
    assert.deepEqual(outcome(await use(await acquire(), {})), [403, 'POLICY_DENIED'], 'for nothing')
    const elsewhere = { ...acquisition(), terminal_id: '013787006099945' }
    assert.deepEqual(outcome(await use(await acquire(), elsewhere)), [401, 'TEMPORARY_TOKEN_INVALID'], 'elsewhere')
    assert.deepEqual(outcome(await use('x'.repeat(43))), [401, 'TEMPORARY_TOKEN_INVALID'], 'invented')
    const nested = { ...asked, operation_targets: 'AcquireTemporaryToken' }
    assert.equal((await authenticate(device, nested)).status, 400)
  })

  test('EN-03: a fast authentication token is good at its terminal and app only', async () => {
    const token = (await authenticate(device)).body.Token?.token ?? ''
    const refused = [511, 'AUTHENTICATION_REQUIRED']
    for (const change of [{ terminal_id: 'other' }, { app_name: 'other' }, { token: `${token.slice(0, -1)}_` }]) {
      assert.deepEqual(outcome(await device.post({ ...TERMINAL, token, ...change })), refused, JSON.stringify(change))
    }
    assert.equal((await device.post({ ...TERMINAL, token })).status, 200)
  })

  test('HT-11: a subscriber has 32 fast authentication tokens at most; the oldest one is forgotten', async () => {
    const tokenOf = async (app_name: string) =>
      (await authenticate(device, { app_name }, { supi: OTHER_SUPI })).body.Token?.token ?? ''
    const use = (token: string, app_name: string) => device.post({ ...TERMINAL, app_name, token })
    const first = await tokenOf('app-0')
    for (let count = 1; count < 32; count += 1) await tokenOf(`app-${count}`)
    assert.equal((await use(first, 'app-0')).status, 200)
    const last = await tokenOf('app-32')
    assert.equal((await use(first, 'app-0')).status, 511)
    assert.equal((await use(last, 'app-32')).status, 200)
  })

  test('EN-05: XML is never read, whatever it is called; no configuration document comes in', async () => {
    const bombs = [
      '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
      `<!DOCTYPE a [<!ENTITY b0 "b">${[1, 2, 3, 4, 5, 6, 7, 8, 9]
        .map((n) => `<!ENTITY b${n} "${`&b${n - 1};`.repeat(10)}">`)
        .join('')}]><a>&b9;</a>`,
      `${'<a>'.repeat(5_000)}${'</a>'.repeat(5_000)}`,
      '<wap-provisioningdoc version="1.1"/>',
    ]
    const types = [
      'application/xml',
      'text/xml',
      'text/vnd.wap.connectivity-xml',
      'application/xop+xml',
      'image/svg+xml',
    ]
    for (const body of bombs) {
      for (const type of types) {
        const told = await device.peer.request({ method: 'POST', path: '/', headers: { 'content-type': type }, body })
        assert.equal(told.status, 415, type)
      }
      for (const type of ['application/json', 'application/vnd.gsma.eap-relay.v1.0+json']) {
        const told = await device.peer.request({ method: 'POST', path: '/', headers: { 'content-type': type }, body })
        assert.ok([400, 413].includes(told.status), type)
        assert.ok(!told.body.includes('root:'))
      }
    }
    const deep = `{"terminal_id":${'['.repeat(5_000)}${']'.repeat(5_000)}}`
    const headers = { 'content-type': 'application/json' }
    assert.equal((await device.peer.request({ method: 'POST', path: '/', headers, body: deep })).status, 400)
    const xml = { accept: 'application/vnd.gsma.eap-relay.v1.0+json, text/vnd.wap.connectivity-xml' }
    const begun = await device.post({ ...TERMINAL, EAP_ID: naiOf(SUPI) }, xml)
    const { response } = usimOf(begun.body['eap-relay-packet'] ?? '')
    const out = await device.relay(response(), begun.cookie, xml)
    assert.equal(out.headers['content-type'], 'text/vnd.wap.connectivity-xml')
    assert.match(out.text, /<characteristic type="TOKEN">\s*<parm name="token" value="[\w-]{43}"\/>/)
  })

  test('HT-10: whatever stands in the parameters, there is an answer of TS.43, and no fault of ours', async () => {
    const statuses = [200, 400, 401, 403, 406, 415, 511]
    const names = [...Object.keys(TERMINAL), 'EAP_ID', 'token', 'temporary_token', 'operation', 'client_id', 'scope']
    const likely = fc.constantFrom('ap2015', '12.0', naiOf(SUPI), 'AcquireOperatorToken', `edge:${ECS}`, 'eec-1', '')
    const value = fc.oneof(likely, fc.string({ unit: 'grapheme' }), fc.jsonValue())
    const body = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), value)
    const types = fc.constantFrom('application/json', 'application/vnd.gsma.eap-relay.v1.0+json')
    const property = fc.asyncProperty(body, fc.boolean(), types, async (parameters, isWhole, type) => {
      const message = isWhole ? { ...TERMINAL, ...parameters } : parameters
      const told = await device.post(message, { 'content-type': type })
      assert.ok(statuses.includes(told.status), `${told.status} ${told.text}`)
    })
    await fc.assert(property, { numRuns: process.env['EDGEWARD_DEEP'] ? 20_000 : 150 })
  })

  test('EN-06: once withdrawn, nothing is good at the issuer, and by certificate for ten minutes at most', async () => {
    const ecs = await ent.verifier('ecs6.edge.example.com')
    const audience = 'ecs6.edge.example.com'
    const { operator } = ent.server
    const token = await operatorToken(device, { audience })
    const fast = (await authenticate(device)).body.Token?.token ?? ''
    const other = await operatorToken(device, { eecId: 'eec-2', supi: OTHER_SUPI, audience })
    assert.equal((await ecs.introspect(token)).body['active'], true)

    assert.deepEqual(await operator.withdraw(SUPI), { eecIds: ['eec-1'] })
    assert.deepEqual((await ecs.introspect(token)).body, { active: false })
    const { exp, iat } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    assert.ok(exp - iat <= 600)
    assert.equal((await device.post({ ...TERMINAL, token: fast })).status, 511)
    assert.deepEqual(outcome(await authenticate(device, acquisition(), { headers: await device.proof() })), [
      403,
      'NOT_ENTITLED',
    ])
    assert.equal((await ecs.introspect(other)).body['active'], true, 'the other subscriber hears nothing of it')

    // Allowed again, the old token stays ended; a new one is good until its end.
    await operator.allow({ supi: SUPI, eecId: 'eec-1', gpsi: 'msisdn-491700000001' })
    assert.deepEqual((await ecs.introspect(token)).body, { active: false })
    const anew = await operatorToken(device, { audience })
    assert.equal((await ecs.introspect(anew)).body['active'], true)
    await operator.deny({ supi: SUPI, eecId: 'eec-1' })
    assert.deepEqual((await ecs.introspect(anew)).body, { active: false })
    await operator.allow({ supi: SUPI, eecId: 'eec-1', gpsi: 'msisdn-491700000001' })
  })

  test('EN-06: tells only the audience of a token about it, and nobody who is not listed', async () => {
    const [ecs, other] = [await ent.verifier('ecs7.edge.example.com'), await ent.verifier('ecs8.edge.example.com')]
    const token = await operatorToken(device, { audience: 'ecs7.edge.example.com' })
    assert.equal((await ecs.introspect(token)).body['active'], true)
    assert.deepEqual(await other.introspect(token), { status: 200, body: { active: false } })
    const [head, claims, signature = ''] = token.split('.')
    const flipped = signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))
    for (const text of [`${head}.${claims}.${flipped}`, `${head}.${claims}.`, 'x', '', 'a.b.c', 'x'.repeat(9_000)]) {
      assert.deepEqual(await ecs.introspect(text), { status: 200, body: { active: false } })
    }
    const ees = await ent.verifier('ees7.edge.example.com', 'EES')
    const forEes = await operatorToken(device, { audience: 'ees7.edge.example.com' })
    assert.equal((await ees.introspect(forEes)).body['active'], true)
    assert.deepEqual(
      [(await ees.introspect(token)).body, (await ecs.introspect(forEes)).body],
      [{ active: false }, { active: false }],
    )
    const question = { app: 'ap2015', operation: 'ValidateOperatorToken', operator_token: token }
    const foreign = await other.validate({ ...question, requestor_id: 'ecs7.edge.example.com' })
    assert.equal(foreign.status, 403)
    const asked = await other.validate({ ...question, requestor_id: 'ecs8.edge.example.com' })
    assert.deepEqual(asked.body['ap2015'], { OperatorTokenValidity: '0', OperationResult: '1' })
    const refused = await device.peer.request({
      method: 'POST',
      path: '/oauth2/introspect',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `token=${token}`,
    })
    assert.equal(refused.status, 404)
  })

  test('EN-07: a token is verified before, during and after a change of the key; of a key that is given up, none is', async () => {
    const audience = 'ecs9.edge.example.com'
    const ecs = await ent.verifier(audience)
    const kidOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid
    const published = async () => {
      const { body } = await device.peer.request({ method: 'GET', path: '/.well-known/edge-entitlement/certificates' })
      return (JSON.parse(body.toString()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)
    }
    const before = await operatorToken(device, { audience })
    const rotated = await ent.rotate()
    assert.deepEqual((await published()).toSorted(), [kidOf(before), rotated.kid].toSorted())
    const during = await operatorToken(device, { audience })
    assert.equal(kidOf(during), kidOf(before), 'it is shown before it signs')
    ent.advance(600_000)
    const later = await operatorToken(device, { audience, ahead: 600_000 })
    assert.equal(kidOf(later), rotated.kid)
    assert.ok((await published()).includes(kidOf(before)))
    assert.equal((await ecs.introspect(later)).body['active'], true)
    await ent.restart()
    ;({ device } = ent)
    assert.equal((await ecs.introspect(later)).body['active'], true)
    ent.advance(3_630_000)
    assert.deepEqual(await published(), [rotated.kid], 'the old key is shown as long as a token of it can be good')

    const ahead = 4_230_000
    const doomed = await operatorToken(device, { audience, ahead })
    const replacement = await ent.rotate({ replacesAll: true })
    assert.deepEqual(await published(), [replacement.kid])
    assert.deepEqual((await ecs.introspect(doomed)).body, { active: false })
    const last = await operatorToken(device, { audience, ahead })
    assert.equal((await ecs.introspect(last)).body['active'], true)
  })

  test('EN-07: takes no certificate for a key that it has not made, of another root or for another name', async () => {
    const refused = { name: 'Refusal', code: 'SIGNING_KEY_NOT_ACCEPTED' }
    await assert.rejects(ent.rotate({ key: anEecKey().publicKey }), refused)
    await assert.rejects(ent.rotate({ fqdn: 'aes.mnc002.mcc001.pub.3gppnetwork.org' }), refused)
    await assert.rejects(ent.rotate({ foreign: true }), refused)
    await assert.rejects(ent.server.operator.installSigningKey({ chain: 'no PEM', replacesAll: true }), refused)
  })
})

test('EN-07: a key that is in use gets no second certificate, and signs on', async (t) => {
  const ent = await runEntitlement()
  t.after(() => ent.close())
  await ent.server.operator.allow({ supi: SUPI, eecId: 'eec-1' })
  const path = '/.well-known/edge-entitlement/certificates'
  const { body } = await ent.device.peer.request({ method: 'GET', path })
  const { keys } = JSON.parse(body.toString()) as { keys: JsonWebKey[] }
  assert.equal(keys.length, 1)
  for (const { kty = '', crv = '', x = '', y = '' } of keys) {
    const key = createPublicKey({ format: 'jwk', key: { kty, crv, x, y } })
    await assert.rejects(ent.rotate({ key }), { name: 'Refusal', code: 'SIGNING_KEY_NOT_ACCEPTED' })
  }
  assert.ok(await operatorToken(ent.device))
})

/** Hears the alarms of a signing key that ends. */
function listeningLog() {
  const alarms: string[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const { alarm, who } = JSON.parse(chunk.toString()) as { alarm?: string; who?: string }
      if (alarm === 'signing-key-ends') alarms.push(String(who))
      done()
    },
  })
  return { alarms, log: pino({ level: 'warn' }, sink) }
}

test('EN-07: the operator hears at the start of the server, too, that the signing key ends', async (t) => {
  const { alarms, log } = listeningLog()
  const clock = { now: () => systemClock.now() + 300 * 86_400_000, monotonic: systemClock.monotonic }
  const ent = await runEntitlement({ environment: { log, clock } })
  t.after(() => ent.close())
  assert.equal(alarms.length, 1)
})

test('EN-07: the operator hears that the signing key ends while there is time, and of the newest alone', async (t) => {
  const { alarms, log } = listeningLog()
  let hour = () => {}
  const timers: Timers = {
    ...systemTimers,
    every(period, action) {
      if (period === 3_600_000) hour = action
      return systemTimers.every(period, action)
    },
  }
  const ent = await runEntitlement({ environment: { log, timers } })
  t.after(() => ent.close())
  const hoursPass = async () => {
    for (let n = 0; n < 4; n++) {
      hour()
      await new Promise(setImmediate)
    }
  }
  const { notBefore, notAfter } = await signingCertificate(ent)
  const due = Math.ceil(notBefore + ((notAfter - notBefore) * 2) / 3)
  ent.advance(due - Date.now() - 60_000)
  await hoursPass()
  assert.equal(alarms.length, 0)
  // So late that a key which is certified a little later is due as well.
  ent.advance(3_600_000)
  await hoursPass()
  assert.equal(alarms.length, 3, 'the first, the second and the fourth time')
  assert.match(alarms[0] ?? '', new RegExp(`^[\\w-]{43}, good until ${new Date(notAfter).toISOString()}$`))
  const { kid } = await ent.rotate()
  await hoursPass()
  const after = alarms.slice(3)
  // Certified today, it ends as early for this clock.
  assert.deepEqual([after.length, after.every((who) => who.startsWith(kid))], [3, true])
})

async function signingCertificate({ device }: RunningEntitlement) {
  const path = '/.well-known/edge-entitlement/certificates'
  const { body } = await device.peer.request({ method: 'GET', path })
  const { keys } = JSON.parse(body.toString()) as { keys: { x5c: string[] }[] }
  return readCertificate(Buffer.from(keys.at(-1)?.x5c[0] ?? '', 'base64'))
}

test('EN-04: no value of a query or of a body reaches the log, a refusal or the store; no answer is kept', async (t) => {
  const written: Buffer[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(Buffer.from(chunk))
      done()
    },
  })
  const ent = await runEntitlement({ environment: { log: pino({ level: 'trace' }, sink) } })
  t.after(() => ent.close())
  await ent.server.operator.allow({ supi: SUPI, eecId: 'eec-1' })
  const { device } = ent
  const begun = await device.get({ ...TERMINAL, EAP_ID: naiOf(SUPI), ...acquisition() })
  const { response } = usimOf(begun.body['eap-relay-packet'] ?? '')
  await device.relay(response(), begun.cookie)
  const { body } = await authenticate(device)
  const token = body.Token?.token ?? ''
  const good = await device.get({ ...TERMINAL, token })
  const operator = await operatorToken(device)
  const refusals = [
    await device.get({ ...TERMINAL, token: 'canary-1' }),
    await device.get({ ...TERMINAL, temporary_token: 'canary-2', operation: 'canary-3' }),
    await device.get({ ...TERMINAL, temporary_token: 'canary-2', operator_token: operator }),
    await device.get({ ...TERMINAL, EAP_ID: 'canary-4@nai' }),
    await device.get({ ...TERMINAL, entitlement_version: 'canary-5', client_id: 'canary-6' }),
    await device.post({ ...TERMINAL, token: 'canary-7', scope: 'canary-8' }),
    await device.relay('canary-9', 'canary-10'),
    await device.relay('AgEABA==', `__Host-entitlement-session=${'canary-11'.padEnd(43, 'x')}`),
  ]
  const raw = [`/?token=canary-12&token=canary-13`, '/?token=%zz&x=canary-14', '/canary-15?token=canary-16']
  for (const path of raw) {
    const { status, body: text } = await device.peer.request({ method: 'GET', path })
    assert.ok(status >= 400)
    assert.ok(!text.includes('canary') || path.startsWith('/canary'), path)
  }
  assert.deepEqual(
    [good, begun, ...refusals].map(({ headers }) => headers['cache-control']),
    Array.from({ length: 10 }, () => 'no-store'),
  )
  assert.equal(good.headers['referrer-policy'], 'no-referrer')
  assert.ok(refusals.every(({ status }) => status >= 400))

  const secrets = ['canary', token, operator, begun.cookie.split('=')[1] ?? '', '001010000000001@', begun.text]
  const log = Buffer.concat(written)
  const files = globSync(join(ent.folder, 'entitlement', '**/*'), { withFileTypes: true }).filter((file) =>
    file.isFile(),
  )
  const stored = files.map((file) => readFileSync(join(file.parentPath, file.name)))
  assert.ok(log.length > 500 && stored.length > 5)
  for (const secret of secrets) {
    assert.ok(!log.includes(secret), secret)
    assert.ok(
      stored.every((octets) => !octets.includes(secret)),
      secret,
    )
    for (const { text } of refusals) assert.ok(!text.includes(secret), secret)
  }
  assert.ok(!log.includes('001010000000001'), 'the SUPI')
})
