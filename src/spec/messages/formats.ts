/**
 * The formats that the schemas of messages use. A validator that lacks one would accept anything in its place,
 * so whoever compiles the schemas registers exactly these, with ajv-formats in its full mode:
 *
 *     const ajv = new Ajv({ strict: true, strictRequired: false, coerceTypes: false, removeAdditional: false })
 *     addFormats(ajv, { mode: 'full', formats: [...SCHEMA_FORMATS] })
 *
 * Every schema here compiles so. `strictRequired` would refuse the choices between members (EndPoint). The largest
 * messages take a second to compile, most of it in ajv's optimizer: `code: { optimize: false }` does without.
 */
export const SCHEMA_FORMATS = ['byte', 'date-time', 'int32', 'uuid'] as const
