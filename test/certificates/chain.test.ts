import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createIssuer, createRoot, crossCertify, type Issuer } from '../../src/certificates/authority.ts'
import { type Certificate, readCertificate } from '../../src/certificates/certificate.ts'
import { type ChainQuestion, checkChain } from '../../src/certificates/chain.ts'
import { type Crl, issueCrl, type RevokedCertificate, readCrl } from '../../src/certificates/crl.ts'
import type { LeafRole } from '../../src/certificates/profile.ts'
import { rootTemplate, type Template, templateFor } from '../../src/certificates/template.ts'
import { aDomain, aSigner, forge, fqdn, LEAF_ROLES, random, SUBJECTS, spkiOf } from './a-domain.ts'

const DAY = 24 * 3600_000
const NOT_ACCEPTED = { name: 'Refusal', code: 'CERTIFICATE_NOT_ACCEPTED' }
const REVOKED = { name: 'Refusal', code: 'CERTIFICATE_REVOKED' }

describe('certification path: RFC 5280 6.1', async () => {
  const domain = await aDomain()
  const { root, issuers, issue, template, now } = domain
  const leaves = Object.fromEntries(
    await Promise.all(LEAF_ROLES.map(async (role) => [role, await issue(SUBJECTS[role])] as const)),
  ) as Record<LeafRole, Certificate>
  const leaf = leaves.ees
  const intermediate = issuers.ees.certificate
  const honest: ChainQuestion = { leaf, intermediates: [intermediate], anchors: [root.certificate], role: 'ees', now }
  const check = (changes: Partial<ChainQuestion> = {}) => checkChain({ ...honest, ...changes })

  test('the path goes from the leaf over its issuer to the anchor', () => {
    assert.deepEqual(check(), [leaf, intermediate, root.certificate])
    assert.deepEqual(check({ anchors: [intermediate], intermediates: [] }), [leaf, intermediate])
    const many = [issuers.ecs.certificate, issuers.operator.certificate, root.certificate, intermediate]
    assert.deepEqual(check({ intermediates: many }), [leaf, intermediate, root.certificate])
  })

  for (const certified of LEAF_ROLES) {
    for (const role of LEAF_ROLES) {
      test(`CA-11: a certificate of ${certified} as ${role}`, () => {
        const intermediates = LEAF_ROLES.map((each) => issuers[each].certificate)
        const question = { ...honest, leaf: leaves[certified], intermediates, role }
        if (certified === role) checkChain(question)
        else assert.throws(() => checkChain(question), NOT_ACCEPTED)
      })
    }
  }

  test('CA-11: an issuer of one role cannot certify another, whatever it writes', async () => {
    for (const role of LEAF_ROLES) {
      for (const other of LEAF_ROLES.filter((each) => each !== role)) {
        const issuer = issuers[other].certificate
        const forged = readCertificate(await forge({ ...template(SUBJECTS[role]), issuer }, issuers[other].signer))
        assert.throws(() => check({ leaf: forged, intermediates: [issuer], role }), NOT_ACCEPTED)
        assert.throws(() => check({ leaf: forged, intermediates: [], anchors: [issuer], role }), NOT_ACCEPTED)
      }
    }
  })

  const badLeaves: Readonly<Record<string, Partial<Template>>> = {
    'with CA:TRUE': { basicConstraints: { ca: true } },
    'with keyCertSign besides': { keyUsage: ['digitalSignature', 'keyCertSign'] },
    'to encipher keys only': { keyUsage: ['keyEncipherment'] },
    'without purposes': { extendedKeyUsage: [] },
    'to be a client only': { extendedKeyUsage: ['clientAuth'] },
    'to be a server only': { extendedKeyUsage: ['serverAuth'] },
    'without names': { subjectAltNames: { dnsNames: [], uris: [] } },
    'without registration': { subjectAltNames: { dnsNames: ['ees1.ecsp.example'], uris: [] } },
    'without FQDN': { subjectAltNames: { dnsNames: [], uris: ['urn:uuid:0e5a2b90-7d43-4c1a-9c3e-0123456789ab'] } },
    'with the URI of an operator': {
      subjectAltNames: { dnsNames: ['a.example'], uris: ['urn:edgeward:operator:alice'] },
    },
  }
  for (const [title, changes] of Object.entries(badLeaves)) {
    test(`CA-11: refuses a certificate of the right issuer ${title}`, async () => {
      const forged = readCertificate(await forge({ ...template(SUBJECTS.ees), ...changes }, issuers.ees.signer))
      assert.throws(() => check({ leaf: forged }), {
        ...NOT_ACCEPTED,
        detail: 'the certificate is not of the role ees',
      })
    })
  }

  test('refuses an issuer under another key identifier, or where one has none, though name and signature fit', async () => {
    const renamed = { ...intermediate, subjectKeyId: Buffer.alloc(20, 1) }
    const forged = readCertificate(await forge({ ...template(SUBJECTS.ees), issuer: renamed }, issuers.ees.signer))
    assert.throws(() => check({ leaf: forged }), NOT_ACCEPTED)
    assert.throws(() => check({ intermediates: [renamed] }), NOT_ACCEPTED)
    const { subjectKeyId: _subject, ...keyless } = intermediate
    assert.throws(() => check({ intermediates: [keyless] }), NOT_ACCEPTED)
    const { authorityKeyId: _authority, ...orphan } = leaf
    assert.throws(() => check({ leaf: orphan }), NOT_ACCEPTED)
    assert.equal(check({ leaf: forged, intermediates: [renamed] }).length, 3)
  })

  test('CA-11: the purposes of an issuer bound those of its certificates', async () => {
    const { signer } = issuers.ees
    const narrow = await caFrom({ extendedKeyUsage: ['clientAuth'] }, signer)
    assert.throws(() => check({ intermediates: [narrow] }), NOT_ACCEPTED)
    const open = await caFrom({ extendedKeyUsage: [] }, signer)
    assert.deepEqual(check({ intermediates: [open] }), [leaf, open, root.certificate])
  })

  /** A CA certificate for the key of the EES issuer, with something else in it. */
  async function caFrom(
    changes: Partial<Template>,
    signer = issuers.ees.signer,
    by: Issuer = root,
  ): Promise<Certificate> {
    const given = { issuer: by.certificate, spki: spkiOf(signer), serial: random.octets(16).fill(1, 0, 1), now }
    return readCertificate(await forge({ ...templateFor({ role: 'ees-issuer' }, given), ...changes }, by.signer))
  }

  const badIssuers: Readonly<Record<string, Partial<Template>>> = {
    'is no CA': { basicConstraints: { ca: false } },
    'may not sign certificates': { keyUsage: ['cRLSign'] },
    'may only sign data': { keyUsage: ['digitalSignature'] },
    'has expired': { notAfter: now - 1000 - (now % 1000) },
    'is not valid yet': { notBefore: now + 60_000 - (now % 1000) },
    'has another name': { subject: { organization: 'ecsp.example', commonName: 'Edgeward ECS issuing CA' } },
    'is of another domain': { subject: { organization: 'other.example', commonName: 'Edgeward EES issuing CA' } },
  }
  for (const [title, changes] of Object.entries(badIssuers)) {
    test(`refuses an issuer that ${title}, and takes the good one beside it`, async () => {
      const bad = await caFrom(changes)
      assert.throws(() => check({ intermediates: [bad] }), NOT_ACCEPTED)
      assert.throws(() => check({ intermediates: [], anchors: [bad] }), NOT_ACCEPTED)
      assert.deepEqual(check({ intermediates: [bad, intermediate] }), [leaf, intermediate, root.certificate])
    })
  }

  test('refuses a path that is longer than a CA allows', async () => {
    const middle = aSigner()
    const between = await caFrom({ basicConstraints: { ca: true, pathLength: 3 } }, middle)
    const below = await caFrom({ basicConstraints: { ca: true } }, issuers.ees.signer, {
      certificate: between,
      signer: middle,
    })
    // The root allows one CA below it, here are two.
    assert.throws(() => check({ intermediates: [between, below] }), NOT_ACCEPTED)
    assert.deepEqual(check({ intermediates: [below], anchors: [between] }), [leaf, below, between])

    const strict = await caFrom({}, middle)
    const under = await caFrom({}, issuers.ees.signer, { certificate: strict, signer: middle })
    assert.throws(() => check({ intermediates: [under], anchors: [strict] }), NOT_ACCEPTED)
  })

  test('refuses a leaf that signs another', async () => {
    const signer = aSigner()
    const parent = await issue(SUBJECTS.ees, { spki: spkiOf(signer) })
    const child = readCertificate(await forge({ ...template(SUBJECTS.ees), issuer: parent }, signer))
    assert.throws(() => check({ leaf: child, intermediates: [parent, intermediate] }), NOT_ACCEPTED)
    assert.throws(() => check({ leaf: child, intermediates: [], anchors: [parent] }), NOT_ACCEPTED)
  })

  test('refuses a CA where a leaf is expected, the root included', () => {
    for (const ca of [intermediate, root.certificate]) assert.throws(() => check({ leaf: ca }), NOT_ACCEPTED)
  })

  test('refuses a signature by another key under the right name and key identifier', async () => {
    const forged = readCertificate(await forge(template(SUBJECTS.ees), aSigner()))
    assert.throws(() => check({ leaf: forged }), NOT_ACCEPTED)
    const signature = Buffer.from(leaf.signature)
    signature.writeUInt8(signature.readUInt8(20) ^ 1, 20)
    assert.throws(() => check({ leaf: { ...leaf, signature } }), NOT_ACCEPTED)
  })

  test('CA-10: refuses a certificate that has expired or is not valid yet; both ends belong to it', () => {
    check({ now: leaf.notBefore })
    check({ now: leaf.notAfter })
    assert.throws(() => check({ now: leaf.notBefore - 1 }), {
      ...NOT_ACCEPTED,
      detail: 'the certificate is not valid now',
    })
    assert.throws(() => check({ now: leaf.notAfter + 1 }), {
      ...NOT_ACCEPTED,
      detail: 'the certificate is not valid now',
    })
  })

  test('CA-10: refuses the certificate of another CA, under the same names too', async () => {
    const twin = await aDomain()
    const stranger = await twin.issue(SUBJECTS.ees)
    const intermediates = [twin.issuers.ees.certificate, twin.root.certificate, intermediate]
    assert.throws(() => check({ leaf: stranger, intermediates }), NOT_ACCEPTED)
    assert.throws(() => check({ leaf: stranger, intermediates, anchors: [] }), NOT_ACCEPTED)
    check({ leaf: stranger, intermediates, anchors: [root.certificate, twin.root.certificate] })
  })

  test('a renewed CA: the old and the new certificate of one key, and a new key under the old name', async () => {
    const signer = aSigner()
    const given = { random, now, crlDistributionPoint: 'http://ecs1.ecsp.example/crl/root' }
    const rolled = await createIssuer('ees-issuer', root, { ...given, signer })
    const renewed = await caFrom({})
    for (const intermediates of [
      [renewed, rolled.certificate, intermediate],
      [rolled.certificate, renewed],
    ]) {
      assert.equal(check({ intermediates }).length, 3)
    }
    assert.throws(() => check({ intermediates: [rolled.certificate] }), NOT_ACCEPTED)
  })

  test('CA-09: work is bounded: nine intermediates are too many, loops end, lookalikes cost sixteen signatures', async () => {
    assert.throws(() => check({ intermediates: Array(9).fill(intermediate) }), NOT_ACCEPTED)

    const [one, two] = [aSigner(), aSigner()]
    const self = { subject: { organization: 'ecsp.example', commonName: 'Edgeward EES issuing CA' } }
    const loop = { ...self, basicConstraints: { ca: true } }
    const a = await caFrom(loop, one)
    const b = await caFrom(loop, two, { certificate: a, signer: one })
    const c = await caFrom(loop, one, { certificate: b, signer: two })
    const looped = readCertificate(await forge({ ...template(SUBJECTS.ees), issuer: c }, one))
    let signatures = 0
    const watched = [c, b, c, b, c, b, c, b].map((certificate) => ({
      ...certificate,
      get publicKey() {
        signatures += 1
        return certificate.publicKey
      },
    }))
    assert.throws(() => check({ leaf: looped, intermediates: watched }), NOT_ACCEPTED)
    assert.equal(signatures, 16)
  })
})

describe('revocation: RFC 5280 5 and 6.3', async () => {
  const domain = await aDomain()
  const { root, issuers, issue, now } = domain
  const leaf = await issue(SUBJECTS.ees)
  const intermediate = issuers.ees.certificate
  const question = { leaf, intermediates: [intermediate], anchors: [root.certificate], role: 'ees', now } as const

  const crlOf = async (issuer: Issuer, number: bigint, entries: RevokedCertificate[] = [], from = now): Promise<Crl> =>
    readCrl(await issueCrl({ issuer, number, thisUpdate: from, nextUpdate: from + DAY, entries }))
  const ofRoot = await crlOf(root, 1n)
  const ofIssuer = await crlOf(issuers.ees, 5n)
  const check = (crls: readonly Crl[], changes: Partial<ChainQuestion> = {}) =>
    checkChain({ ...question, crls, ...changes })
  const refuses = (crls: readonly Crl[], detail: string, changes: Partial<ChainQuestion> = {}) =>
    assert.throws(() => check(crls, changes), { ...NOT_ACCEPTED, detail })

  test('CA-07: with a current CRL of every issuer the certificate is accepted', () => {
    assert.equal(check([ofRoot, ofIssuer]).length, 3)
    assert.equal(check([ofIssuer], { anchors: [intermediate], intermediates: [] }).length, 2)
  })

  test('CA-07: fails closed when a CRL is missing', () => {
    refuses([], 'the issuer has no CRL here')
    refuses([ofRoot], 'the issuer has no CRL here')
    refuses([ofIssuer], 'the issuer has no CRL here')
    checkChain(question)
  })

  test('CA-07: fails closed when a CRL has expired or is not valid yet', () => {
    check([ofRoot, ofIssuer], { now: ofIssuer.nextUpdate })
    refuses([ofRoot, ofIssuer], 'the CRL is not current', { now: ofIssuer.nextUpdate + 1 })
    refuses([ofRoot, ofIssuer], 'the CRL is not current', { now: ofIssuer.thisUpdate - 1 })
  })

  test('CA-07: fails closed when a CRL is of the wrong signer', async () => {
    const ofOther = await crlOf(issuers.ecs, 5n)
    refuses([ofRoot, ofOther], 'the issuer has no CRL here')
    const renamed = { ...ofOther, issuer: ofIssuer.issuer, authorityKeyId: ofIssuer.authorityKeyId }
    refuses([ofRoot, renamed], 'the CRL is not signed by the issuer')
    const tbs = Buffer.from(ofIssuer.tbs)
    tbs.writeUInt8(tbs.readUInt8(tbs.length - 1) ^ 1, tbs.length - 1)
    refuses([ofRoot, { ...ofIssuer, tbs }], 'the CRL is not signed by the issuer')

    const twin = await aDomain()
    refuses([ofRoot, await crlOf(twin.issuers.ees, 5n)], 'the issuer has no CRL here')
  })

  test('CA-07: a CRL that was verified for one key is not taken for another under the same name and identifier', async () => {
    const twin = await createIssuer('ees-issuer', root, { random, now, signer: aSigner() })
    const lookalike = { ...twin.certificate, subjectKeyId: ofIssuer.authorityKeyId }
    const given = { issuer: lookalike, spki: leaf.spki, serial: random.octets(16).fill(1, 0, 1), now }
    const template = templateFor(SUBJECTS.ees, { ...given, crlDistributionPoint: 'http://ecs1.ecsp.example/crl/ees' })
    const under = { leaf: readCertificate(await forge(template, twin.signer)), intermediates: [lookalike] }
    checkChain({ ...question, ...under })
    check([ofRoot, ofIssuer])
    refuses([ofRoot, ofIssuer], 'the CRL is not signed by the issuer', under)
  })

  test('CA-07: an issuer that may not sign CRLs has none', async () => {
    const given = { issuer: root.certificate, spki: intermediate.spki, serial: random.octets(16).fill(1, 0, 1), now }
    const template: Template = { ...templateFor({ role: 'ees-issuer' }, given), keyUsage: ['keyCertSign'] }
    const silent = readCertificate(await forge(template, root.signer))
    check([ofRoot, ofIssuer])
    refuses([ofRoot, ofIssuer], 'the CRL is not signed by the issuer', { intermediates: [silent] })
    const issuer = { ...issuers.ees, certificate: silent }
    await assert.rejects(issueCrl({ issuer, number: 1n, thisUpdate: now, nextUpdate: now + 1, entries: [] }), /CRLs/)
  })

  test('CA-07: fails closed when a CRL has a lower number than one that was seen', () => {
    const last = (number: bigint) => ({ lastCrlNumbers: new Map([[ofIssuer.authorityKeyId.toString('hex'), number]]) })
    check([ofRoot, ofIssuer], last(4n))
    check([ofRoot, ofIssuer], last(5n))
    refuses([ofRoot, ofIssuer], 'the CRL is older than one that was seen', last(6n))
  })

  test('CA-07: of several CRLs the one with the highest number counts, in any order', async () => {
    const later = await crlOf(issuers.ees, 6n, [{ serial: leaf.serial, revokedAt: now }])
    const again = await crlOf(issuers.ees, 7n)
    for (const crls of [
      [ofRoot, ofIssuer, later],
      [later, ofRoot, ofIssuer],
    ])
      assert.throws(() => check(crls), REVOKED)
    for (const crls of [
      [ofRoot, again, later],
      [later, again, ofRoot],
    ])
      assert.equal(check(crls).length, 3)
  })

  test('CA-06: a revoked certificate is refused, for every reason, and so is every certificate of a revoked CA', async () => {
    for (const reason of [undefined, 'keyCompromise', 'certificateHold', 'cessationOfOperation'] as const) {
      const entry = { serial: leaf.serial, revokedAt: now, ...(reason && { reason }) }
      const revoking = await crlOf(issuers.ees, 8n, [entry])
      assert.throws(() => check([ofRoot, revoking]), REVOKED)
    }
    const another = await crlOf(issuers.ees, 9n, [{ serial: `7f${'00'.repeat(15)}`, revokedAt: now }])
    assert.equal(check([ofRoot, another]).length, 3)
    const revokedCa = await crlOf(root, 2n, [{ serial: intermediate.serial, revokedAt: now, reason: 'cACompromise' }])
    assert.throws(() => check([revokedCa, ofIssuer]), REVOKED)
  })

  test('CA-10: a renewal with a revoked certificate is refused, with its successor accepted', async () => {
    const renewed = await issue(SUBJECTS.ees)
    const superseding = await crlOf(issuers.ees, 10n, [{ serial: leaf.serial, revokedAt: now, reason: 'superseded' }])
    assert.throws(() => check([ofRoot, superseding]), REVOKED)
    assert.equal(check([ofRoot, superseding], { leaf: renewed }).length, 3)
  })
})

test('CA-12: whoever trusts the old root alone finds the way to what is under the new one, and the other way round', async () => {
  const before = await aDomain()
  const after = await aDomain({ rootCurve: 'P-256' })
  const { now } = before
  const cross = await crossCertify(after.root.certificate, before.root, { random, now })
  const [leaf, issuer] = [await after.issue(SUBJECTS.ecs), after.issuers.ecs.certificate]
  const question: ChainQuestion = {
    leaf,
    intermediates: [issuer, cross],
    anchors: [before.root.certificate],
    role: 'ecs',
    now,
  }
  assert.deepEqual(checkChain(question), [leaf, issuer, cross, before.root.certificate])
  assert.deepEqual(checkChain({ ...question, anchors: [after.root.certificate] }), [
    leaf,
    issuer,
    after.root.certificate,
  ])
  assert.throws(() => checkChain({ ...question, intermediates: [issuer] }), NOT_ACCEPTED)

  const stranger = await aDomain({ domain: 'other.example' })
  await assert.rejects(
    crossCertify(after.root.certificate, stranger.root, { random, now }),
    /another domain|a root under/,
  )
  await assert.rejects(
    crossCertify(after.root.certificate, before.issuers.ees, { random, now }),
    /an issuer of another role/,
  )
})

test('CA-11: a root cannot be made under an issuer, nor an issuer under an issuer', async () => {
  const { root, issuers, now } = await aDomain()
  const given = { random, now, crlDistributionPoint: 'http://ecs1.ecsp.example/crl/root', signer: aSigner() }
  await assert.rejects(createIssuer('ecs-issuer', issuers.ees, given), /an issuer of another role/)
  await createIssuer('ecs-issuer', root, given)
  const own = await createRoot(fqdn('ecsp.example'), { random, now, signer: aSigner() })
  assert.ok(own.certificate.subject.equals(own.certificate.issuer))
  assert.equal(rootTemplate(fqdn('ecsp.example'), { signer: aSigner(), serial: Buffer.alloc(16, 1), now }).role, 'root')
})
