import { generateKeyPairSync, generatePrimeSync, type KeyObject } from 'node:crypto'
import { TAG } from '../../src/certificates/der-tags.ts'
import { bitString, element, integer, NULL, octetString, oid, sequence } from '../../src/certificates/der-writer.ts'
import { OID } from '../../src/certificates/object-identifiers.ts'

const hex = (text: string) => Buffer.from(text, 'hex')
const octetsOf = (value: bigint, length: number) => hex(value.toString(16).padStart(2 * length, '0'))
const spkiOf = (key: KeyObject) => key.export({ format: 'der', type: 'spki' })

interface Curve {
  readonly oid: string
  readonly size: number
  readonly p: bigint
}

const P_256: Curve = { oid: OID.secp256r1, size: 32, p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n }
const P_384: Curve = { oid: OID.secp384r1, size: 48, p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n }

function ecSpki(curve: string, point: Uint8Array): Buffer {
  return sequence([sequence([oid(OID.ecPublicKey), oid(curve)]), bitString(point)])
}

function ecKeys(name: string, { oid: curve, size, p }: Curve): [string, Buffer][] {
  const good = spkiOf(generateKeyPairSync('ec', { namedCurve: name }).publicKey)
  const point = good.subarray(-1 - 2 * size)
  const x = point.subarray(1, 1 + size)
  const y = point.subarray(1 + size)
  const at = (first: number, ...coordinates: Uint8Array[]) =>
    ecSpki(curve, Buffer.concat([Buffer.of(first), ...coordinates]))
  const other = Buffer.from(y)
  other.writeUInt8(other.readUInt8(size - 1) ^ 1, size - 1)
  const odd = (y.at(-1) ?? 0) & 1
  return [
    [`${name}: infinity`, ecSpki(curve, Buffer.of(0))],
    [`${name}: infinity with coordinates`, at(0, x, y)],
    [`${name}: a point of zeros`, at(4, Buffer.alloc(2 * size))],
    [`${name}: no point at all`, ecSpki(curve, Buffer.alloc(0))],
    [`${name}: a point beside the curve`, at(4, x, other)],
    [`${name}: coordinates exchanged`, at(4, y, x)],
    [`${name}: compressed`, at(2 + odd, x)],
    [`${name}: compressed, the other root`, at(3 - odd, x)],
    [`${name}: hybrid`, at(6 + odd, x, y)],
    [`${name}: x not below p`, at(4, octetsOf(p, size), y)],
    [`${name}: y not below p`, at(4, x, octetsOf(p, size))],
    [`${name}: an octet short`, at(4, x, y.subarray(1))],
    [`${name}: an octet long`, at(4, x, y, Buffer.of(0))],
    [`${name}: without parameters`, sequence([sequence([oid(OID.ecPublicKey)]), bitString(point)])],
    [`${name}: implicit parameters`, sequence([sequence([oid(OID.ecPublicKey), NULL]), bitString(point)])],
    [`${name}: parameters twice`, sequence([sequence([oid(OID.ecPublicKey), oid(curve), NULL]), bitString(point)])],
    [`${name}: an octet after the key`, Buffer.concat([good, Buffer.of(0)])],
    [`${name}: cut off`, good.subarray(0, -1)],
  ]
}

/**
 * A point of the curve with the smallest x there is, written with x + p: the same point to who reduces, another to who
 * compares.
 */
function unreduced({ oid: curve, size, p }: Curve, b: bigint): Buffer {
  for (let x = 1n; ; x += 1n) {
    const square = (x ** 3n - 3n * x + b) % p
    const y = power(square, (p + 1n) / 4n, p)
    if ((y * y) % p === square)
      return ecSpki(curve, Buffer.concat([Buffer.of(4), octetsOf(x + p, size), octetsOf(y, size)]))
  }
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  if (exponent === 0n) return 1n
  const half = power(base, exponent / 2n, modulus)
  return (half * half * (exponent % 2n === 1n ? base : 1n)) % modulus
}

const B_256 = BigInt('0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b')
const B_384 = BigInt(
  '0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef',
)

/** Explicit domain parameters of P-256 (SEC 1 C.2) with the public point as generator, so that 1 is the private key. */
function withExplicitParameters(): Buffer {
  const good = spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
  const point = good.subarray(-65)
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const parameters = sequence([
    integer(1),
    sequence([oid('1.2.840.10045.1.1'), integer(P_256.p)]),
    sequence([octetString(octetsOf(P_256.p - 3n, 32)), octetString(octetsOf(B_256, 32))]),
    octetString(point),
    integer(order),
    integer(1),
  ])
  return sequence([sequence([oid(OID.ecPublicKey), parameters]), bitString(point)])
}

function ofOtherCurves(): [string, Buffer][] {
  const curves = ['prime192v1', 'secp224r1', 'secp521r1', 'secp256k1', 'brainpoolP256r1', 'brainpoolP384r1']
  const mismatched = spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey).subarray(-97)
  return [
    ...curves.map((namedCurve): [string, Buffer] => [
      namedCurve,
      spkiOf(generateKeyPairSync('ec', { namedCurve }).publicKey),
    ]),
    ['a point of P-384 under the name of P-256', ecSpki(OID.secp256r1, mismatched)],
    ['explicit parameters with another generator (CVE-2020-0601)', withExplicitParameters()],
    ['X25519 to sign with', spkiOf(generateKeyPairSync('x25519').publicKey)],
    ['X448 to sign with', spkiOf(generateKeyPairSync('x448').publicKey)],
    ['Ed448', spkiOf(generateKeyPairSync('ed448').publicKey)],
    ['DSA', spkiOf(generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).publicKey)],
  ]
}

function edSpki(point: Uint8Array, ...parameters: Buffer[]): Buffer {
  return sequence([sequence([oid(OID.ed25519), ...parameters]), bitString(point)])
}

/** The eight points of small order and their non-canonical encodings, as X25519 and Ed25519 libraries list them. */
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
]

function edKeys(): [string, Buffer][] {
  const point = spkiOf(generateKeyPairSync('ed25519').publicKey).subarray(-32)
  return [
    ...SMALL_ORDER.map((encoding): [string, Buffer] => [`Ed25519: ${encoding}`, edSpki(hex(encoding))]),
    // y = 2 belongs to no point: (y^2 - 1) / (d y^2 + 1) is no square.
    ['Ed25519: a y beside the curve', edSpki(Buffer.concat([Buffer.of(2), Buffer.alloc(31)]))],
    ['Ed25519: 31 octets', edSpki(point.subarray(1))],
    ['Ed25519: 33 octets', edSpki(Buffer.concat([point, Buffer.of(0)]))],
    ['Ed25519: with parameters', edSpki(point, NULL)],
  ]
}

function rsaSpki(n: bigint, e: bigint = 65537n, ...others: Buffer[]): Buffer {
  const key = sequence([integer(n), integer(e), ...others])
  return sequence([sequence([oid(OID.rsaEncryption), NULL]), bitString(key)])
}

const SMALL_PRIMES = [
  3n,
  5n,
  7n,
  11n,
  13n,
  17n,
  19n,
  23n,
  29n,
  31n,
  37n,
  41n,
  43n,
  47n,
  53n,
  59n,
  61n,
  67n,
  71n,
  73n,
  79n,
  83n,
  89n,
]
const ROCA_PRIMES = [
  2n,
  ...SMALL_PRIMES,
  97n,
  101n,
  103n,
  107n,
  109n,
  113n,
  127n,
  131n,
  137n,
  139n,
  149n,
  151n,
  157n,
  163n,
  167n,
]

/** A prime of Infineon's library: k M + (65537^a mod M), found by changing k. */
function rocaPrime(bits: number): bigint {
  const m = ROCA_PRIMES.reduce((product, prime) => product * prime, 1n)
  const start = 65537n ** 11n % m
  return generatePrimeSync(bits, { bigint: true, add: m, rem: start })
}

/** n = (a - b)(a + b), b small; no prime is needed for the shape, only that no small factor hides it. */
function closePrimes(a: bigint, b: bigint): bigint {
  for (let root = a; ; root += 2n) {
    const n = root * root - b * b
    if (n % 2n === 1n && oddPrimesBelow2000.every((prime) => n % prime !== 0n)) return n
  }
}

const oddPrimesBelow2000 = Array.from({ length: 999 }, (_, i) => BigInt(2 * i + 3)).filter((candidate, _, all) =>
  all.every((divisor) => divisor * divisor > candidate || candidate % divisor !== 0n),
)

function rsaKeys(): [string, Buffer][] {
  const prime = (bits: number) => generatePrimeSync(bits, { bigint: true })
  const n = prime(1536) * prime(1536)
  const root = 2n ** 1536n - prime(1000)
  const good = sequence([integer(n), integer(65537)])
  const rsa = sequence([oid(OID.rsaEncryption), NULL])
  return [
    ...[512, 1024, 2048].map((bits): [string, Buffer] => [
      `RSA of ${bits} bits`,
      rsaSpki(prime(bits / 2) * prime(bits / 2)),
    ]),
    ['RSA of 3071 bits', rsaSpki((n >> 1n) | 1n)],
    ['RSA of 8193 bits', rsaSpki(2n ** 8192n + 1n)],
    ['RSA of 100,000 bits', rsaSpki(2n ** 100_000n + 1n)],
    ...[0n, 1n, 2n, 3n, 17n, 257n, 65536n, 65539n, 2n ** 64n + 1n, n].map((e): [string, Buffer] => [
      `RSA with e = ${e > 2n ** 65n ? 'n' : e}`,
      rsaSpki(n, e),
    ]),
    ['RSA with an even modulus', rsaSpki(n + 1n)],
    ['RSA with the factor 3', rsaSpki(3n * n)],
    ['RSA with the factor 1999', rsaSpki(1999n * n)],
    ['RSA with a square modulus', rsaSpki(closePrimes(root, 0n))],
    ['RSA with twin primes', rsaSpki(closePrimes(root | 1n, 2n))],
    ['RSA with primes that differ in 64 bits', rsaSpki(closePrimes(root | 1n, 2n ** 64n))],
    ['RSA with primes that differ in half their bits', rsaSpki(closePrimes(root | 1n, 2n ** 768n))],
    ['RSA of the ROCA shape (CVE-2017-15361)', rsaSpki(rocaPrime(1600) * rocaPrime(1600))],
    [
      'RSA with a negative modulus',
      sequence([rsa, bitString(sequence([element(TAG.integer, [octetsOf(n, 384)]), integer(65537)]))]),
    ],
    [
      'RSA with a padded modulus',
      sequence([rsa, bitString(sequence([element(TAG.integer, [Buffer.alloc(2), octetsOf(n, 384)]), integer(65537)]))]),
    ],
    ['RSA without exponent', sequence([rsa, bitString(sequence([integer(n)]))])],
    ['RSA with a third number', rsaSpki(n, 65537n, integer(1))],
    ['RSA without parameters', sequence([sequence([oid(OID.rsaEncryption)]), bitString(good)])],
    ['RSA for PSS only', sequence([sequence([oid('1.2.840.113549.1.1.10')]), bitString(good)])],
    ['RSA with the key as OCTET STRING', sequence([rsa, octetString(good)])],
  ]
}

function notSpki(): [string, Buffer][] {
  const good = spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
  const withUnusedBits = Buffer.from(good)
  withUnusedBits[25] = 1
  return [
    ['nothing', Buffer.alloc(0)],
    ['an empty SEQUENCE', sequence([])],
    ['no algorithm', sequence([bitString(good.subarray(-65))])],
    ['no key', sequence([sequence([oid(OID.ecPublicKey), oid(OID.secp256r1)])])],
    ['an indefinite length', Buffer.concat([hex('3080'), good.subarray(2), hex('0000')])],
    ['a length that is not minimal', Buffer.concat([hex('308159'), good.subarray(2)])],
    ['unused bits', withUnusedBits],
    ['an unknown algorithm', sequence([sequence([oid('1.2.3.4')]), bitString(good.subarray(-65))])],
    ['PEM', Buffer.from('-----BEGIN PUBLIC KEY-----\n')],
  ]
}

/**
 * Keys that nobody may be certified for, by what is wrong with them (THREATS ON-06). SubjectPublicKeyInfo, or what
 * claims to be one.
 */
export const BAD_KEYS: ReadonlyMap<string, Buffer> = new Map([
  ...ecKeys('P-256', P_256),
  ...ecKeys('P-384', P_384),
  ['P-256: x + p', unreduced(P_256, B_256)],
  ['P-384: x + p', unreduced(P_384, B_384)],
  ...ofOtherCurves(),
  ...edKeys(),
  ...rsaKeys(),
  ...notSpki(),
])
