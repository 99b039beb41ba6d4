import { randomBytes } from 'node:crypto'
import type { Message, Response } from '../../src/http/client.ts'
import { AMF_SEPARATION_BIT, authenticationVector, concealedSqn, verifyAuts } from '../../src/keys/aka.ts'
import { attributeOf, isMacRight, readEapPacket, writeEapPacket } from '../../src/keys/eap.ts'
import { akaPrimeChallenge, deriveAkaPrimeKeys, deriveCkIkPrime, kausfOfEmsk } from '../../src/keys/eap-aka-prime.ts'
import type { EciesPrivateKey } from '../../src/keys/ecies.ts'
import { deriveHresStar, deriveKausf, deriveKseaf, deriveResStar } from '../../src/keys/five-g-aka.ts'
import type { Kausf, Key } from '../../src/keys/key.ts'
import { nextSqn, resynchronise } from '../../src/keys/sqn.ts'
import { revealSupi } from '../../src/keys/suci.ts'
import { parseSuci } from '../../src/keys/suci-forms.ts'
import type { AuthenticationInfo, ConfirmationData, EapSession } from '../../src/spec/messages/ue-authentication.ts'
import { parseServingNetworkName, withoutTypePrefix } from '../../src/spec/subscriber-identifiers.ts'
import { readSubscription } from '../../src/ue/usim/subscription.ts'
import { parsed } from '../keys/octets.ts'

export const NETWORK = parsed(parseServingNetworkName('5G:mnc001.mcc001.3gppnetwork.org'))

/** MILENAGE test set 1. */
export const SUBSCRIPTION = {
  supi: 'imsi-001010000000001',
  k: '465b5ce8b199b49faa5f0a2ee238a6bc',
  opc: 'cd63cb71954a9f4e48a5994e37a02baf',
  homeNetwork: { mcc: '001', mnc: '01' },
}

export const aSubscription = (change: object = {}) => readSubscription(JSON.stringify({ ...SUBSCRIPTION, ...change }))

export type Method = '5G_AKA' | 'EAP_AKA_PRIME'

interface Vector {
  readonly rand: Buffer
  readonly autn: Buffer
  readonly xres: Buffer
  readonly ck: Key<'CK'>
  readonly ik: Key<'IK'>
}

interface Context {
  readonly vector: Vector
  readonly kausf: Kausf
  readonly kAut?: Key<"EAP-AKA' K_aut">
}

/** How the home network misbehaves. */
export interface Cheats {
  /** instead of 8000 */
  readonly amf?: number
  /** what the UE gets to see of a vector */
  readonly vector?: (vector: { rand: Buffer; autn: Buffer }) => { rand: Buffer; autn: Buffer }
  /** never advances SQN, also not when it is asked to resynchronise */
  readonly staleSqn?: number
  /** the network name in AT_KDF_INPUT */
  readonly networkName?: string
  /** an EAP packet in the place of the challenge */
  readonly eap?: (challenge: Buffer) => Buffer
  /** an answer in the place of ours */
  readonly answer?: (message: Message, response: Response) => Response
}

/** AUSF and UDM of one subscriber in one object, at the level of messages. */
export class HomeNetwork {
  readonly asked: Message[] = []
  /** of the last success */
  kausf: Kausf | undefined
  readonly supis: string[] = []
  #sqn = 0
  #contexts = new Map<string, Context>()
  readonly #method: Method
  readonly #cheats: Cheats
  readonly #subscription: ReturnType<typeof aSubscription>
  readonly #homeNetworkKey: EciesPrivateKey | undefined

  constructor(
    method: Method = '5G_AKA',
    {
      subscription = aSubscription(),
      homeNetworkKey,
      ...cheats
    }: Cheats & {
      subscription?: ReturnType<typeof aSubscription>
      homeNetworkKey?: EciesPrivateKey
    } = {},
  ) {
    this.#method = method
    this.#cheats = cheats
    this.#subscription = subscription
    this.#homeNetworkKey = homeNetworkKey
  }

  /** SQN_HE of the AuC. */
  set sqn(sqn: number) {
    this.#sqn = sqn
  }

  get sqn(): number {
    return this.#sqn
  }

  async request(message: Message): Promise<Response> {
    this.asked.push(message)
    const response = this.#answer(message)
    return this.#cheats.answer?.(message, response) ?? response
  }

  /** The paths below the API that were called, with identifiers replaced. */
  get calls(): string[] {
    return this.asked.map(({ method, path }) =>
      `${method} ${path.replace('/nausf-auth/v1/ue-authentications', '').replace(/^\/[^/]+/, '/ID')}`.trim(),
    )
  }

  #answer({ method, path, body }: Message): Response {
    const [, id = '', resource] = /ue-authentications\/([^/]+)\/(.+)$/.exec(path) ?? []
    const content: unknown = JSON.parse(String(body))
    if (method === 'POST' && id === '') return this.#initiate(content as AuthenticationInfo)
    const context = this.#contexts.get(id)
    if (context === undefined) return problem(404, 'CONTEXT_NOT_FOUND')
    if (resource === '5g-aka-confirmation') return this.#confirm(context, content as ConfirmationData)
    return this.#eapSession(id, context, content as EapSession)
  }

  #initiate({ supiOrSuci, resynchronizationInfo }: AuthenticationInfo): Response {
    this.supis.push(revealSupi(parsed(parseSuci(supiOrSuci)), () => this.#homeNetworkKey))
    if (resynchronizationInfo !== undefined) {
      const { rand, auts } = resynchronizationInfo
      this.#resynchronise(Buffer.from(rand, 'hex'), Buffer.from(auts, 'hex'))
    }
    const id = randomBytes(8).toString('hex')
    const link = (resource: string) => ({
      [resource]: {
        href: `https://ausf.core.example/nausf-auth/v1/ue-authentications/${id}/${resource === '5g-aka' ? '5g-aka-confirmation' : resource}`,
      },
    })
    const vector = this.#vector()
    if (this.#method === '5G_AKA') {
      const { rand, autn, ck, ik, xres } = vector
      const xresStar = deriveResStar(ck, ik, NETWORK, rand, xres)
      this.#contexts.set(id, { vector, kausf: deriveKausf(ck, ik, NETWORK, concealedSqn(autn)) })
      const shown = this.#cheats.vector?.(vector) ?? vector
      const hxresStar = deriveHresStar(shown.rand, xresStar).toString('hex')
      const data = { rand: shown.rand.toString('hex'), autn: shown.autn.toString('hex'), hxresStar }
      return hal(201, { authType: '5G_AKA', '5gAuthData': data, _links: link('5g-aka') })
    }
    const eapPayload = this.#akaPrimeChallenge(id, vector).toString('base64')
    return hal(201, { authType: 'EAP_AKA_PRIME', '5gAuthData': eapPayload, _links: link('eap-session') })
  }

  #vector(): Vector {
    this.#sqn = this.#cheats.staleSqn ?? nextSqn(this.#sqn)
    const { amf = AMF_SEPARATION_BIT } = this.#cheats
    return authenticationVector(this.#subscription.keys, { rand: randomBytes(16), sqn: this.#sqn, amf })
  }

  #resynchronise(rand: Buffer, auts: Buffer): void {
    const sqnMs = verifyAuts(this.#subscription.keys, rand, auts)
    if (sqnMs === undefined) throw new Error('AUTS is not of this subscriber')
    this.#sqn = resynchronise(this.#sqn, sqnMs)
  }

  #akaPrimeChallenge(id: string, vector: Vector): Buffer {
    const { networkName = NETWORK } = this.#cheats
    const { autn, ck, ik } = vector
    const { ckPrime, ikPrime } = deriveCkIkPrime(ck, ik, networkName, concealedSqn(autn))
    const keys = deriveAkaPrimeKeys(ckPrime, ikPrime, withoutTypePrefix(this.#subscription.settings.supi))
    this.#contexts.set(id, { vector, kausf: kausfOfEmsk(keys.emsk), kAut: keys.kAut })
    const shown = this.#cheats.vector?.(vector) ?? vector
    const challenge = akaPrimeChallenge({ identifier: 7, rand: shown.rand, autn: shown.autn, networkName }, keys.kAut)
    return this.#cheats.eap?.(challenge) ?? challenge
  }

  #confirm({ vector, kausf }: Context, { resStar }: ConfirmationData): Response {
    const { rand, ck, ik, xres } = vector
    const expected = deriveResStar(ck, ik, NETWORK, rand, xres).toString('hex')
    if (resStar !== expected) return json({ authResult: 'AUTHENTICATION_FAILURE' })
    this.kausf = kausf
    return json({ authResult: 'AUTHENTICATION_SUCCESS', supi: this.#subscription.settings.supi, kseaf: kseafOf(kausf) })
  }

  #eapSession(id: string, { vector, kausf, kAut }: Context, { eapPayload }: EapSession): Response {
    const octets = Buffer.from(eapPayload ?? '', 'base64')
    const packet = readEapPacket(octets)
    const failure = json({
      authResult: 'AUTHENTICATION_FAILURE',
      eapPayload: writeEapPacket({ code: 'failure', identifier: 8 }).toString('base64'),
    })
    if (packet === undefined || !('method' in packet) || kAut === undefined) return failure
    const auts = attributeOf(packet, 'AT_AUTS')
    if (auts !== undefined) {
      this.#resynchronise(vector.rand, auts)
      const again = this.#akaPrimeChallenge(id, this.#vector()).toString('base64')
      const href = `/nausf-auth/v1/ue-authentications/${id}/eap-session`
      return hal(200, { eapPayload: again, _links: { 'eap-session': [{ href }] } })
    }
    const right = attributeOf(packet, 'AT_RES')?.equals(vector.xres) && isMacRight("EAP-AKA'", octets, kAut)
    if (!right) return failure
    this.kausf = kausf
    return json({
      authResult: 'AUTHENTICATION_SUCCESS',
      supi: this.#subscription.settings.supi,
      kSeaf: kseafOf(kausf),
      eapPayload: writeEapPacket({ code: 'success', identifier: 7 }).toString('base64'),
    })
  }
}

const kseafOf = (kausf: Kausf) => deriveKseaf(kausf, NETWORK).export().toString('hex')

export const json = (content: object, status = 200, mediaType = 'application/json'): Response => ({
  status,
  headers: { 'content-type': mediaType },
  body: Buffer.from(JSON.stringify(content)),
})

const hal = (status: number, content: object) => json(content, status, 'application/3gppHal+json')

export const problem = (status: number, cause: string) => json({ status, cause }, status, 'application/problem+json')
