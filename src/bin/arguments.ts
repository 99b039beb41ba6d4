import { InvalidArgumentError } from 'commander'
import type { Resolve } from '../http/client.ts'
import { type Fqdn, parseFqdn } from '../spec/identifiers.ts'
import { type EecId, parseEecId } from '../spec/subscriber-identifiers.ts'

export function fqdnArgument(text: string): Fqdn {
  const fqdn = parseFqdn(text)
  if (fqdn === undefined) throw new InvalidArgumentError('It is not a fully qualified host name, as ecs1.example.com.')
  return fqdn
}

export function portArgument(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('It is not a port.')
  return Number(text)
}

/** `FQDN=ADDRESS`, as often as there are names that DNS does not know. */
export function resolveArgument(text: string, before: Resolve = new Map()): Resolve {
  const [name = '', address] = text.split('=')
  if (address === undefined || address === '') throw new InvalidArgumentError('It is not FQDN=ADDRESS.')
  return new Map([...before, [fqdnArgument(name), address]])
}

export function eecIdArgument(text: string): EecId {
  const eecId = parseEecId(text)
  if (eecId === undefined) throw new InvalidArgumentError('It is not an EEC ID.')
  return eecId
}
