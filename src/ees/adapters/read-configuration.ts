import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { parse } from 'yaml'
import { findInvalidSetting } from '../../http/schema.ts'
import { withDefaults } from '../../nf/configuration.ts'
import { EES_DEFAULTS, EesConfiguration } from '../configuration.ts'
import { NotUsable } from '../errors.ts'

export const CONFIGURATION_FILE = 'ees.yaml'

/** `ees.yaml` above the defaults; without the file, the defaults. @throws NotUsable for a file that is not well formed */
export async function readEesConfiguration(folder: string): Promise<EesConfiguration> {
  const file = join(folder, CONFIGURATION_FILE)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const configuration: unknown = withDefaults(readMapping(file, text), EES_DEFAULTS)
  const invalid = findInvalidSetting(EesConfiguration, configuration)
  if (invalid !== undefined) throw new NotUsable(`${file}: ${invalid}`)
  return configuration as EesConfiguration
}

function readMapping(file: string, text: string): Record<string, unknown> {
  const document = readYaml(file, text)
  if (document === null || document === undefined) return {}
  if (typeof document === 'object' && !Array.isArray(document)) return { ...document }
  throw new NotUsable(`${file}: not a YAML mapping`)
}

function readYaml(file: string, text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0 })
  } catch (cause) {
    throw new NotUsable(`${file}: not YAML`, { cause })
  }
}

/** PEM files that the configuration names, relative to the folder. @throws NotUsable */
export function readPems(folder: string, files: readonly string[]): Promise<string[]> {
  const read = (file: string) =>
    readFile(isAbsolute(file) ? file : join(folder, file), 'utf8').catch((cause: unknown) => {
      throw new NotUsable(`${CONFIGURATION_FILE}: ${file} cannot be read`, { cause })
    })
  return Promise.all(files.map(read))
}
