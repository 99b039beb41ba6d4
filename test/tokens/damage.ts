import fc from 'fast-check'

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** What decoders and parsers stumble over, beside ordinary characters. */
const CHARACTERS = [
  ...BASE64URL,
  ...'.=+/~ \t\r\n"\\{}[]:,%',
  '\u0000',
  '\u007f',
  '\u0080',
  'é',
  '\u200b',
  '\ufeff',
  '😀',
]

export type Edit = (text: string) => string

/** @param where - any number: a place in the text or at its end */
function splice(text: string, where: number, removed: number, inserted: string): string {
  const at = where % (text.length + 1)
  return text.slice(0, at) + inserted + text.slice(at + removed)
}

const EDITS: readonly ((text: string, where: number, character: string, length: number) => string)[] = [
  (text, where, character) => splice(text, where, 1, character),
  (text, where, character) => splice(text, where, 0, character),
  (text, where, _, length) => splice(text, where, length, ''),
  (text, where, _, length) => splice(text, where, 0, text.slice(-length * 16)),
  (text, where) => text.slice(where % text.length) + text.slice(0, where % text.length),
]

/** One edit of a text, at any place of it. */
export const edit: fc.Arbitrary<Edit> = fc
  .tuple(
    fc.constantFrom(...EDITS),
    // Not fc.double: its values are spread over the exponents, and nearly all lie next to 0.
    fc.nat(9_999),
    fc.constantFrom(...CHARACTERS),
    fc.integer({ min: 1, max: 4 }),
  )
  .map(
    ([apply, ...parameters]) =>
      (text: string) =>
        apply(text, ...parameters),
  )

/** One edit that JSON may survive: the signature will be good. */
export const jsonEdit: fc.Arbitrary<Edit> = fc.oneof(
  edit,
  fc.constantFrom<Edit>(
    (text) => text,
    (text) => ` ${text}\n`,
    (text) => text.replaceAll(':', ' : '),
    (text) => text.replace(/([a-z])"/, (_, letter) => `\\u00${letter.charCodeAt(0).toString(16)}"`),
    (text) => text.replace('}', ',"other":[1,{"x":null}]}'),
    (text) => text.replace('{', '{"aud":"*",'),
    (text) => text.replace(/}$/, ',"aud":"*"}'),
    (text) => text.replace('{', '{"__proto__":{},'),
    (text) => text.replace('{', `{"deep":${'['.repeat(8)}${']'.repeat(8)},`),
    (text) => text.replace('{', `{"deep":${'['.repeat(7)}${']'.repeat(7)},`),
    (text) => text.replace('{', '{"x":"\\ud800",'),
    (text) => text.replace(/[0-9]{10}/, (seconds) => `${seconds}.0`),
    (text) => text.replace(/[0-9]{10}/, (seconds) => `${seconds}e0`),
    (text) => `\ufeff${text}`,
  ),
)

export function applied(edits: readonly Edit[], text: string): string {
  return edits.reduce((damaged, apply) => apply(damaged), text)
}
