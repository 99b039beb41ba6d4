/** Odd primes below 2000. */
const SMALL_PRIMES = oddPrimesBelow(2000)
const PRODUCT = SMALL_PRIMES.reduce((product, prime) => product * BigInt(prime), 1n)

/** Steps of Fermat's method: primes that differ in their lower halves only are found in the first (CVE-2022-26320). */
const FERMAT_STEPS = 100

/** What makes a modulus easy to factor, or undefined if none of the known faults is there. */
export function weaknessOfModulus(n: bigint): string | undefined {
  if (n % 2n === 0n) return 'an even modulus'
  const rest = n % PRODUCT
  if (SMALL_PRIMES.some((prime) => rest % BigInt(prime) === 0n)) return 'a modulus with a small factor'
  if (hasRocaShape(rest)) return 'a modulus of the ROCA shape'
  if (hasClosePrimes(n)) return 'a modulus of two close primes'
  return undefined
}

/**
 * Infineon's primes are k M + (65537^a mod M), M the product of the first primes, so modulo each of them n is a power
 * of 65537.
 *
 * @see Nemec et al., The Return of Coppersmith's Attack, CCS 2017, 3.1 (CVE-2017-15361)
 */
function hasRocaShape(n: bigint): boolean {
  return ROCA_PRIMES.every(({ prime, powers }) => powers.has(Number(n % BigInt(prime))))
}

const ROCA_PRIMES = SMALL_PRIMES.filter((prime) => prime <= 167).map((prime) => ({
  prime,
  powers: powersOf65537(prime),
}))

function powersOf65537(prime: number): Set<number> {
  const powers = new Set<number>()
  for (let power = 1; !powers.has(power); power = (power * 65537) % prime) powers.add(power)
  return powers
}

/** n = a^2 - b^2 = (a + b)(a - b) for an a close to the root of n. */
function hasClosePrimes(n: bigint): boolean {
  const root = squareRoot(n)
  let a = root * root === n ? root : root + 1n
  for (let step = 0; step < FERMAT_STEPS; step += 1, a += 1n) {
    if (isSquare(a * a - n)) return true
  }
  return false
}

/** A square is a square modulo 64, 63, 65 and 11 as well; of other numbers one in a hundred is. */
const RESIDUES = [64, 63, 65, 11].map((modulus) => ({
  modulus,
  squares: new Set(Array.from({ length: modulus }, (_, i) => (i * i) % modulus)),
}))

function isSquare(n: bigint): boolean {
  const rest = Number(n % (64n * 63n * 65n * 11n))
  if (!RESIDUES.every(({ modulus, squares }) => squares.has(rest % modulus))) return false
  const root = squareRoot(n)
  return root * root === n
}

/** The largest integer whose square is not above n, by Newton's method from above. */
function squareRoot(n: bigint): bigint {
  if (n < 2n) return n
  let root = 1n << BigInt(n.toString(16).length * 2)
  for (;;) {
    const next = (root + n / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

function oddPrimesBelow(limit: number): number[] {
  const primes: number[] = []
  for (let candidate = 3; candidate < limit; candidate += 2) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate)
  }
  return primes
}
