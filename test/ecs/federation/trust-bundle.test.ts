import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { before, describe, test } from 'node:test'
import { createIssuer, createRoot, crossCertify, type Issuer } from '../../../src/certificates/authority.ts'
import { type Certificate, readCertificate } from '../../../src/certificates/certificate.ts'
import { issueCrl } from '../../../src/certificates/crl.ts'
import { issueCertificate } from '../../../src/certificates/issue.ts'
import { writePem } from '../../../src/certificates/pem.ts'
import type { LeafRole } from '../../../src/certificates/profile.ts'
import { drawSerial, type Subject, templateFor } from '../../../src/certificates/template.ts'
import { revocationListOf } from '../../../src/ecs/certificate-authority/authorities.ts'
import { checkPeer, isInNameSpace, peersServing } from '../../../src/ecs/federation/peer-ecs.ts'
import { newestLists } from '../../../src/ecs/federation/revocation-lists.ts'
import { readTrustBundle, signTrustBundle, type TrustBundle } from '../../../src/ecs/federation/trust-bundle.ts'
import { withOwnNameSpace } from '../../../src/ecs/federation/trusted-peer.ts'
import { systemRandom } from '../../../src/ports/random.ts'
import { type Signer, signerOf } from '../../../src/ports/signer.ts'
import { parseRegistrationId } from '../../../src/spec/identifiers.ts'
import { keySetOf } from '../../../src/tokens/key-set.ts'
import { eesId, fqdn, NOW, refused } from '../authorization-server/parties.ts'

const ECS = fqdn('ecs.south.example.org')
const OTHER = fqdn('ecs.north.example.com')
const CRL = { crlDistributionPoint: `https://${ECS}/crl/x.crl` }
const newSigner = () => signerOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

/** A root with what is below it. */
interface Domain {
  readonly root: Issuer
  readonly ecsIssuer: Issuer
  readonly eesIssuer: Issuer
}

async function aDomain(): Promise<Domain> {
  const given = () => ({ signer: newSigner(), now: NOW, random: systemRandom })
  const root = await createRoot(fqdn('south.example.org'), given())
  const [ecsIssuer, eesIssuer] = await Promise.all([
    createIssuer('ecs-issuer', root, { ...given(), ...CRL }),
    createIssuer('ees-issuer', root, { ...given(), ...CRL }),
  ])
  return { root, ecsIssuer, eesIssuer }
}

async function certified(subject: Subject, issuer: Issuer): Promise<{ signer: Signer; certificate: Certificate }> {
  const signer = newSigner()
  const spki = signer.publicKey.export({ type: 'spki', format: 'der' })
  const serial = drawSerial(systemRandom)
  const template = templateFor(subject, { issuer: issuer.certificate, spki, serial, now: NOW, ...CRL })
  return { signer, certificate: readCertificate(await issueCertificate(template, issuer.signer)) }
}

const ofEcs = (name = ECS): Subject & { role: LeafRole } => ({ role: 'ecs', fqdn: name })

describe('the trust bundle of an ECS', () => {
  let present: Domain
  let next: Domain
  before(async () => {
    ;[present, next] = await Promise.all([aDomain(), aDomain()])
  })

  const bundleOf = (domains: readonly Domain[], change: Partial<TrustBundle> = {}): TrustBundle => ({
    fqdn: ECS,
    issuer: `https://${ECS}:8443`,
    mtlsRoot: `https://${ECS}:8444`,
    nameSpace: [],
    tokenKeys: keySetOf([newSigner().publicKey]),
    forwardingKeys: keySetOf([newSigner().publicKey]),
    roots: domains.map(({ root }) => root.certificate),
    issuers: domains.flatMap(({ ecsIssuer, eesIssuer }) => [ecsIssuer.certificate, eesIssuer.certificate]),
    refresh: 300,
    ...change,
  })
  const signed = async (bundle: TrustBundle, by: Domain, now = NOW) =>
    signTrustBundle(bundle, { ...(await certified(ofEcs(bundle.fqdn), by.ecsIssuer)), now })
  const read = (text: string, anchors: readonly Domain[], now = NOW) =>
    readTrustBundle(text, { fqdn: ECS, anchors: anchors.map(({ root }) => root.certificate), now })

  test('what is signed is what is read', async () => {
    const bundle = bundleOf([present], { nameSpace: [fqdn('south.example.org')] })
    const seen = await read(await signed(bundle, present), [present])
    assert.deepEqual([...seen.tokenKeys.keys()], [...bundle.tokenKeys.keys()])
    assert.deepEqual([...seen.forwardingKeys.keys()], [...bundle.forwardingKeys.keys()])
    const { fqdn: name, issuer, mtlsRoot, nameSpace, refresh } = seen
    assert.deepEqual(
      { fqdn: name, issuer, mtlsRoot, nameSpace, refresh },
      {
        fqdn: ECS,
        issuer: bundle.issuer,
        mtlsRoot: bundle.mtlsRoot,
        nameSpace: bundle.nameSpace,
        refresh: 300,
      },
    )
    assert.deepEqual(
      seen.roots.map(({ der }) => der),
      [present.root.certificate.der],
    )
  })

  test('a new root comes under the old one, and the old one leaves under the new: at no moment is there none', async () => {
    const steps = [bundleOf([present]), bundleOf([present, next]), bundleOf([next, present]), bundleOf([next])]
    const signers = [present, present, next, next]
    let anchors = bundleOf([present]).roots
    for (const [index, bundle] of steps.entries()) {
      const text = await signed(bundle, signers[index] ?? present)
      anchors = (await readTrustBundle(text, { fqdn: ECS, anchors, now: NOW })).roots
    }
    assert.deepEqual(
      anchors.map(({ der }) => der),
      [next.root.certificate.der],
    )
    // Who has slept through the middle does not learn it from the end.
    await refused(read(await signed(bundleOf([next]), next), [present]), 'CERTIFICATE_NOT_ACCEPTED')
    await refused(read(await signed(bundleOf([present]), present), [next]), 'CERTIFICATE_NOT_ACCEPTED')
  })

  test('who has slept through the middle learns it from the end if the old root certifies the new one', async () => {
    const cross = await crossCertify(next.root.certificate, present.root, { now: NOW, random: systemRandom })
    const bundle = bundleOf([next, present])
    const text = await signed({ ...bundle, issuers: [...bundle.issuers, cross] }, next)
    const { roots, expires } = await read(text, [present])
    assert.deepEqual([roots.length, expires], [2, Math.floor(NOW / 1000) * 1000 + 86_400_000])
    await refused(read(await signed(bundle, next), [present]), 'CERTIFICATE_NOT_ACCEPTED')
  })

  test('FW-03: it is of this ECS, by its own certificate and no other: no EES, no other ECS of its root', async () => {
    const other = { ...bundleOf([present]), fqdn: OTHER }
    const byOther = await certified(ofEcs(OTHER), present.ecsIssuer)
    await refused(read(await signTrustBundle(other, { ...byOther, now: NOW }), [present]), 'TRUST_BUNDLE_INVALID')
    await refused(
      read(await signTrustBundle(bundleOf([present]), { ...byOther, now: NOW }), [present]),
      'TRUST_BUNDLE_INVALID',
    )
    const registrationId = parseRegistrationId('00000000-0000-4000-8000-000000000001') ?? assert.fail()
    const ees: Subject = { role: 'ees', fqdn: ECS, registrationId, eesId: eesId('ees-1') }
    const byEes = await certified(ees, present.eesIssuer)
    await refused(
      read(await signTrustBundle(bundleOf([present]), { ...byEes, now: NOW }), [present]),
      'CERTIFICATE_NOT_ACCEPTED',
    )
    const { certificate } = await certified(ofEcs(), present.ecsIssuer)
    const withoutKey = { signer: newSigner(), certificate, now: NOW }
    await refused(read(await signTrustBundle(bundleOf([present]), withoutKey), [present]), 'TRUST_BUNDLE_INVALID')
  })

  test('FW-03: an authority goes by the identifier of its own key, and not by that of another peer', async () => {
    const [own, theirs] = [present.eesIssuer.certificate, next.eesIssuer.certificate]
    const [from, to] = [own.subjectKeyId?.toString('hex') ?? '', theirs.subjectKeyId?.toString('hex') ?? '']
    const forged = readCertificate(Buffer.from(own.der.toString('hex').replace(from, to), 'hex'))
    assert.deepEqual(forged.subjectKeyId, theirs.subjectKeyId)
    const issuers = [present.ecsIssuer.certificate, own]
    await read(await signed(bundleOf([present], { issuers }), present), [present])
    const text = await signed(bundleOf([present], { issuers: [...issuers, forged] }), present)
    await refused(read(text, [present]), 'TRUST_BUNDLE_INVALID')
  })

  test('CA-07: a list counts if the authority has signed it; the same is the same object, an older one is none', async () => {
    const times = { thisUpdate: NOW - 60_000, nextUpdate: NOW + 3_600_000, entries: [] }
    const { root, ecsIssuer, eesIssuer } = present
    const listsOf = async (number: bigint) => {
      const signers = [root, ecsIssuer, eesIssuer]
      const lists = await Promise.all(signers.map((issuer) => issueCrl({ issuer, number, ...times })))
      return new Map(signers.map(({ certificate }, at) => [revocationListOf(certificate), lists[at] ?? assert.fail()]))
    }
    const at = (lists: ReadonlyMap<string, Buffer>) => async (file: string) => lists.get(file) ?? assert.fail(file)
    const [second, third] = [await listsOf(2n), await listsOf(3n)]
    const bundle = bundleOf([present])
    const known = await newestLists(bundle, [], at(second))
    for (const [n, crl] of (await newestLists(bundle, known, at(second))).entries()) assert.equal(crl, known[n])
    const newer = await newestLists(bundle, known, at(third))
    assert.deepEqual(
      newer.map(({ number }) => number),
      [3n, 3n, 3n],
    )
    assert.deepEqual(await newestLists(bundle, newer, at(second)), newer)

    const file = revocationListOf(eesIssuer.certificate)
    const high = await issueCrl({ issuer: eesIssuer, number: 2n ** 100n, ...times })
    const forged = Buffer.concat([high.subarray(0, -1), Buffer.of((high.at(-1) ?? 0) ^ 1)])
    const ofAnother = second.get(revocationListOf(ecsIssuer.certificate)) ?? assert.fail()
    for (const list of [forged, ofAnother])
      await refused(newestLists(bundle, newer, at(new Map([...third, [file, list]]))), 'CERTIFICATE_NOT_ACCEPTED')
  })

  test('FW-05: neither its issuer nor its listener is at another host; times, lists and keys are of their form', async () => {
    const change: Partial<TrustBundle>[] = [
      { issuer: `https://${OTHER}:8443` },
      { mtlsRoot: `https://${OTHER}:8444` },
      { mtlsRoot: `https://${ECS}:8444@${OTHER}` },
      { mtlsRoot: `http://${ECS}:8444` },
      { roots: [] },
      { roots: [present.ecsIssuer.certificate] },
      { tokenKeys: keySetOf([]) },
      { forwardingKeys: keySetOf([]) },
      { refresh: 0.5 },
    ]
    for (const each of change)
      await refused(read(await signed(bundleOf([present], each), present), [present]), 'TRUST_BUNDLE_INVALID')
    const text = await signed(bundleOf([present]), present)
    await read(text, [present], NOW + 86_399_000)
    await refused(read(text, [present], NOW + 86_401_000), 'TRUST_BUNDLE_INVALID')
    for (const garbage of ['', 'x', 'a.b.c', `${text}x`, text.slice(1)])
      await refused(read(garbage, [present]), 'TRUST_BUNDLE_INVALID')
  })
})

describe('what the operator says of another ECS: D-18', () => {
  const names = (...list: string[]) => list.map(fqdn)
  test('the longest suffix wins, at the border of a label; those that share it are both asked', () => {
    const [wide, narrow, same] = [
      { nameSpace: names('example.org') },
      { nameSpace: names('south.example.org', 'east.example.com') },
      { nameSpace: names('south.example.org') },
    ]
    assert.deepEqual(peersServing([wide, narrow, same], fqdn('ees1.south.example.org')), [narrow, same])
    assert.deepEqual(peersServing([wide, narrow, same], fqdn('ees1.badsouth.example.org')), [wide])
    assert.deepEqual(peersServing([wide, narrow, same], fqdn('east.example.com')), [narrow])
    assert.deepEqual(peersServing([wide, narrow, same], fqdn('example.com')), [])
    assert.equal(isInNameSpace(names('south.example.org'), fqdn('xsouth.example.org')), false)
  })

  test('a bundle narrows the name space that the operator gave, and never widens it', () => {
    const peer = { fqdn: ECS, apiRoot: '', roots: [], nameSpace: names('a.example.org', 'b.example.org') }
    const keys = { tokenKeys: keySetOf([]), forwardingKeys: keySetOf([]) }
    const empty = { fqdn: ECS, issuer: '', mtlsRoot: '', ...keys, roots: [], issuers: [], refresh: 300 }
    const said = (...nameSpace: string[]) =>
      withOwnNameSpace(peer, { ...empty, nameSpace: names(...nameSpace) }).nameSpace
    assert.deepEqual(said(), peer.nameSpace)
    assert.deepEqual(said('a.example.org'), ['a.example.org'])
    assert.deepEqual(said('example.org', 'example.com'), peer.nameSpace)
    assert.deepEqual(said('x.a.example.org'), [])
  })

  test('a statement with a mistake in it is refused', async () => {
    const roots = writePem('CERTIFICATE', (await aDomain()).root.certificate.der)
    const stated = { fqdn: ECS, apiRoot: `https://${ECS}:8443`, roots, nameSpace: ['south.example.org'] }
    const known = [checkPeer(stated, OTHER, [])]
    const third = { ...stated, fqdn: 'ecs.west.example.net', apiRoot: 'https://ecs.west.example.net' }
    assert.equal(checkPeer({ ...third, via: ECS }, OTHER, known).via, ECS)
    const wrong = [
      { fqdn: OTHER, apiRoot: `https://${OTHER}` },
      { fqdn: 'ecs' },
      { apiRoot: `https://${OTHER}:8443` },
      { apiRoot: `https://${ECS}:8443/x` },
      { nameSpace: [] },
      { nameSpace: ['south.example.org', '*'] },
      { roots: '' },
      { via: ECS },
      { via: 'ecs.nobody.example.org' },
    ]
    for (const change of wrong)
      assert.throws(
        () => checkPeer({ ...stated, ...change }, OTHER, known),
        { name: 'Refusal' },
        JSON.stringify(change),
      )
  })
})
