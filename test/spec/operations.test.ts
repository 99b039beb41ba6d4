import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OPERATIONS } from '../../src/spec/operations.ts'
import { officialDocument, withoutOfficialFiles } from './official.ts'

const FILES: Readonly<Record<string, string>> = {
  'eecs-eesregistration': 'TS29558_Eecs_EESRegistration.yaml',
  'eecs-ecsdiscovery': 'TS29558_Eecs_ECSDiscovery.yaml',
  'eecs-esp': 'TS29558_Eecs_ECSServiceProvisioning.yaml',
  'eecs-targeteesdiscovery': 'TS29558_Eecs_TargetEESDiscovery.yaml',
  'eees-easdiscovery': 'TS24558_Eees_EASDiscovery.yaml',
  'eees-easregistration': 'TS29558_Eees_EASRegistration.yaml',
  'eees-eeccontextreloc': 'TS29558_Eees_EECContextRelocation.yaml',
  'eees-eecregistration': 'TS24558_Eees_EECRegistration.yaml',
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete']

describe('operations', () => {
  test('each stands under its own name, and no two share a method and a path', () => {
    const all = Object.entries(OPERATIONS)
    for (const [id, operation] of all) assert.equal(operation.id, id)
    assert.equal(new Set(all.map(([, { method, path }]) => `${method} ${path}`)).size, all.length)
  })

  test('each names the clause that defines it', () => {
    for (const { id, clause } of Object.values(OPERATIONS)) assert.match(clause, /^TS \d{2}\.\d{3} \d[\d.]*\d$/, id)
  })

  for (const [api, file] of Object.entries(FILES)) {
    test(`${api} has the operations of ${file}, all of them and no others`, { skip: withoutOfficialFiles }, () => {
      const ours = Object.values(OPERATIONS).filter((operation) => operation.api === api)
      assert.deepEqual(ours.map(({ id, method, path }) => `${id} ${method} ${path}`).sort(), published(file))
    })
  }

  test('no API is left out of the comparison', () => {
    assert.deepEqual([...new Set(Object.values(OPERATIONS).map(({ api }) => api))].sort(), Object.keys(FILES).sort())
  })
})

function published(file: string): string[] {
  const { servers, paths } = officialDocument(file)
  const root = servers?.[0]?.url.replace('{apiRoot}', '')
  return Object.entries(paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => ({ path, method, operationId })),
    )
    .filter(({ method }) => METHODS.includes(method))
    .map(({ path, method, operationId }) => `${operationId} ${method.toUpperCase()} ${root}${path}`)
    .sort()
}
