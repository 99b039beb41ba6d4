import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as acProfile from '../../src/spec/messages/ac-profile.ts'
import * as easBundle from '../../src/spec/messages/eas-bundle.ts'
import * as easDiscovery from '../../src/spec/messages/eas-discovery.ts'
import * as easProfile from '../../src/spec/messages/eas-profile.ts'
import * as easRegistration from '../../src/spec/messages/eas-registration.ts'
import * as ecsDiscovery from '../../src/spec/messages/ecs-discovery.ts'
import * as ecsServiceProvisioning from '../../src/spec/messages/ecs-service-provisioning.ts'
import * as eecContextRelocation from '../../src/spec/messages/eec-context-relocation.ts'
import * as eecRegistration from '../../src/spec/messages/eec-registration.ts'
import * as endPoint from '../../src/spec/messages/end-point.ts'
import { GetEESProfilesQuery, PullEecContextsQuery } from '../../src/spec/messages/queries.ts'
import * as targetEesDiscovery from '../../src/spec/messages/target-ees-discovery.ts'
import * as tunnelInfo from '../../src/spec/messages/tunnel-info.ts'
import { describeWholeFile } from './agreement.ts'
import type { JsonSchema } from './json-schema.ts'
import { normalForm } from './normal-form.ts'
import { officialQuery, withoutOfficialFiles } from './official.ts'

const CONTEXTS = 'TS29558_Eees_EECContextRelocation.yaml'
const TARGETS = 'TS29558_Eecs_TargetEESDiscovery.yaml'

describeWholeFile('TS24558_Eees_EECRegistration.yaml', eecRegistration, acProfile)
describeWholeFile('TS29558_Eees_EASRegistration.yaml', easRegistration, easProfile, easBundle, endPoint)
describeWholeFile('TS24558_Eees_EASDiscovery.yaml', easDiscovery)
describeWholeFile(CONTEXTS, eecContextRelocation)
describeWholeFile(TARGETS, targetEesDiscovery, tunnelInfo)
describeWholeFile('TS29558_Eecs_ECSDiscovery.yaml', ecsDiscovery)
describeWholeFile('TS29558_Eecs_ECSServiceProvisioning.yaml', ecsServiceProvisioning)

describe('queries', { skip: withoutOfficialFiles }, () => {
  const QUERIES = [
    [GetEESProfilesQuery, TARGETS, '/ees-profiles'],
    [PullEecContextsQuery, CONTEXTS, '/eec-contexts'],
  ] as const

  for (const [schema, file, path] of QUERIES) {
    test(`GET ${path}: the parameters of ${file}`, () => {
      assert.deepEqual(normalForm(schema as JsonSchema), normalForm(officialQuery(file, path)))
    })
  }
})
