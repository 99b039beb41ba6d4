/**
 * Feature negotiation: SupportedFeatures of TS 29.571, handled as in TS 29.500 6.6.2.
 * Features are counted from 1, which is the lowest bit of the last hexadecimal digit.
 */

/**
 * Ours, in Eecs_EESRegistration (D-4): the message carries, or wants, `onboardingInformation`.
 * TS 29.558 9.1.7 counts its own features from 1; this one stays far from where they will ever be.
 */
export const EDGEWARD_ONBOARDING = 64

/**
 * Ours, in Eecs_ServiceProvisioning (D-12): the answer brings `eesTokens`, far from where the features of TS 24.558
 * will be.
 */
export const EDGEWARD_EES_TOKENS = 64

/** @param suppFeat - hexadecimal digits; undefined supports nothing */
export function hasFeature(suppFeat: string | undefined, feature: number): boolean {
  const digit = suppFeat?.at(-1 - Math.floor((feature - 1) / 4)) ?? '0'
  return ((Number.parseInt(digit, 16) >> ((feature - 1) % 4)) & 1) === 1
}

/** @returns what both support, as the answer to a request states it; `0` if that is nothing */
export function commonFeatures(suppFeat: string, ours: readonly number[]): string {
  return featuresOf(ours.filter((feature) => hasFeature(suppFeat, feature)))
}

/** @returns what is supported beside what was said */
export function withFeature(suppFeat: string | undefined, feature: number): string {
  return (BigInt(`0x${suppFeat || '0'}`) | (1n << BigInt(feature - 1))).toString(16)
}

/** @returns hexadecimal digits, `0` for no feature */
export function featuresOf(features: readonly number[]): string {
  return features.reduce((bits, feature) => bits | (1n << BigInt(feature - 1)), 0n).toString(16)
}
