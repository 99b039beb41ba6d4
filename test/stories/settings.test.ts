import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { TSchema } from 'typebox'
import { AUSF } from '../../src/ausf/configuration.ts'
import { DEFAULTS as ECS_DEFAULTS, Configuration as EcsConfiguration } from '../../src/ecs/configuration.ts'
import { EES_DEFAULTS, EesConfiguration } from '../../src/ees/configuration.ts'
import { ENTITLEMENT_SERVER } from '../../src/entitlement/configuration.ts'
import { NEF } from '../../src/nef/configuration.ts'
import type { NfKind } from '../../src/nf/configuration.ts'
import { UDM } from '../../src/udm/configuration.ts'
import { DEFAULTS as UE_DEFAULTS, Configuration as UeConfiguration } from '../../src/ue/configuration.ts'

/** What of JSON Schema the configurations use. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
}

type Settings = ReadonlyMap<string, string>

/** Without the marks of TypeBox. */
const plain = (schema: TSchema) => JSON.parse(JSON.stringify(schema)) as Schema

/** Every setting with its default, as the document writes them: `listen.server` and `0`. */
function settingsOf(schema: Schema, defaults: unknown, path = ''): [string, string][] {
  const { properties, required = [] } = schema
  return Object.entries(properties ?? {}).flatMap(([name, member]): [string, string][] => {
    const value = memberOf(defaults, name)
    const at = `${path}${name}`
    if (member.properties !== undefined) return settingsOf(member, value, `${at}.`)
    const stated: [string, string] = [at, stateOf(value, required.includes(name))]
    return member.items?.properties === undefined
      ? [stated]
      : [stated, ...settingsOf(member.items, undefined, `${at}[].`)]
  })
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined
}

function stateOf(value: unknown, isRequired: boolean): string {
  if (value === undefined) return isRequired ? 'needed' : 'none'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const DOCUMENT = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')

function documented(section: string): Settings {
  const [, text = ''] = DOCUMENT.split(new RegExp(`^## ${section}$`, 'm'))
  const [own = ''] = text.split(/^## /m)
  return new Map([...own.matchAll(/^\| `([^`]+)` \| (.*?) \|/gm)].map(([, name = '', value = '']) => [name, value]))
}

const sorted = (settings: Iterable<readonly [string, string]>) => [...settings].sort(([a], [b]) => (a < b ? -1 : 1))

describe('docs/configuration.md names every setting with its default, and no other', () => {
  for (const [file, schema, defaults] of [
    ['ecs.yaml', EcsConfiguration, ECS_DEFAULTS],
    ['ees.yaml', EesConfiguration, EES_DEFAULTS],
    ['ue.yaml', UeConfiguration, UE_DEFAULTS],
  ] as const satisfies [string, TSchema, object][]) {
    test(file, () => {
      assert.deepEqual(sorted(documented(file)), sorted(settingsOf(plain(schema), defaults)))
    })
  }

  for (const { name, schema, defaults } of [AUSF, UDM, NEF, ENTITLEMENT_SERVER] satisfies NfKind[]) {
    test(`${name}.yaml`, () => {
      const told = new Map([...documented('Every network function'), ...documented(`${name}.yaml`)])
      assert.deepEqual(sorted(told), sorted(settingsOf(plain(schema), defaults)))
    })
  }
})
