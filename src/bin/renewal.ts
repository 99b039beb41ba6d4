import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import type { RenewedCertificate } from '../nf/adapters/renew-pair.ts'
import { RENEWAL_NOTICE } from '../nf/server/certificate-end.ts'
import { print, table } from './output.ts'

const DAY = 86_400_000

export interface RenewalArguments {
  readonly dir: string
  readonly within: number
  readonly all?: boolean
  readonly json?: boolean
}

/** Options of the commands that renew certificates. */
export function withNotice(command: Command): Command {
  return command
    .option('--within <days>', 'renew what ends within so many days', daysArgument, RENEWAL_NOTICE / DAY)
    .option('--all', 'renew also what is good for longer')
    .option('--json', 'print one JSON document')
}

/** @returns milliseconds */
export const noticeOf = ({ within, all }: RenewalArguments) => (all === true ? Number.POSITIVE_INFINITY : within * DAY)

/** What was looked at, and until when it is good now. */
export function printRenewed(json: boolean, looked: readonly RenewedCertificate[], next: string): void {
  const certificates = looked.map(({ file, until, renewed }) => {
    return { file: resolve(file), renewed, until: new Date(until).toISOString() }
  })
  const rows = certificates.map(({ renewed, until }, at) => [looked[at]?.file ?? '', until, renewed ? 'renewed' : ''])
  const done = certificates.some(({ renewed }) => renewed) ? next : 'Nothing ends so soon: nothing is renewed.'
  print(json, { certificates }, `${table(['FILE', 'GOOD UNTIL', ''], rows)}\n${done}`)
}

function daysArgument(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('It is not a number of days.')
  return Number(text)
}
