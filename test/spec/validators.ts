import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { SCHEMA_FORMATS } from '../../src/spec/messages/formats.ts'

const ours = new Ajv2020({ strict: true, strictRequired: false, coerceTypes: false, removeAdditional: false })
addFormats.default(ours, { mode: 'full', formats: [...SCHEMA_FORMATS] })

const official = new Ajv2020({ strict: false, coerceTypes: false, removeAdditional: false })
addFormats.default(official, { mode: 'full' })

/** As the server compiles its schemas. */
export function ourValidator(schema: object): ValidateFunction {
  return ours.compile(schema)
}

/** For schemas of OpenAPI 3.0, which have keywords that JSON Schema does not know. */
export function officialValidator(schema: object): ValidateFunction {
  return official.compile(schema)
}
