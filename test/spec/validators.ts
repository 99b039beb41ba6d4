import { Ajv, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import { SCHEMA_FORMATS } from '../../src/spec/messages/formats.ts'

/** Optimizing takes most of the time of a compilation, and changes no verdict. */
const options = { coerceTypes: false, removeAdditional: false, code: { optimize: false } } as const

const ours = new Ajv({ ...options, strict: true, strictRequired: false })
addFormats.default(ours, { mode: 'full', formats: [...SCHEMA_FORMATS] })

const official = new Ajv({ ...options, strict: false, validateSchema: false })
addFormats.default(official, { mode: 'full' })

/** Accepts and refuses as the server does. */
export function ourValidator(schema: object): ValidateFunction {
  return ours.compile(schema)
}

/** For schemas of OpenAPI 3.0, which have keywords that JSON Schema does not know. */
export function officialValidator(schema: object): ValidateFunction {
  return official.compile(schema)
}
