import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NAUSF_UE_AUTHENTICATION, NUDM_UEAU, pathOf } from '../../src/spec/core-operations.ts'
import { officialDocument, withoutOfficialFiles } from './official.ts'

const APIS = {
  'TS29503_Nudm_UEAU.yaml': NUDM_UEAU,
  'TS29509_Nausf_UEAuthentication.yaml': NAUSF_UE_AUTHENTICATION,
} as const

describe('operations of primary authentication', () => {
  for (const [file, operations] of Object.entries(APIS)) {
    test(`each but our own stands in ${file}, under its name if it has one there`, {
      skip: withoutOfficialFiles,
    }, () => {
      const { servers, paths } = officialDocument(file)
      const root = servers?.[0]?.url.replace('{apiRoot}', '') ?? ''
      for (const { id, method, path, clause } of Object.values(operations)) {
        if (!clause.startsWith('TS')) continue
        const published = paths[path.replace(root, '')]?.[method.toLowerCase()]
        assert.ok(published, `${method} ${path}`)
        assert.equal(id, published.operationId ?? id)
      }
    })
  }

  test('a path is filled with what its parameters name, and nothing that they hold changes its structure', () => {
    const { ConfirmAuth, DeleteAuth } = NUDM_UEAU
    assert.equal(
      pathOf(ConfirmAuth, { supi: 'imsi-001010000000001' }),
      '/nudm-ueau/v1/imsi-001010000000001/auth-events',
    )
    assert.equal(pathOf(ConfirmAuth, { supi: 'nai-a/b?@x.y' }), '/nudm-ueau/v1/nai-a%2Fb%3F%40x.y/auth-events')
    assert.throws(() => pathOf(DeleteAuth, { supi: 'imsi-00101' }), TypeError)
  })
})
