import { decodeBase64 } from '../octets/base64.ts'
import { MESSAGE_LIMIT } from './der-reader.ts'
import { Malformed } from './malformed.ts'

export type PemLabel = 'CERTIFICATE' | 'CERTIFICATE REQUEST' | 'PUBLIC KEY' | 'X509 CRL'

const LINE = 64

/** RFC 7468 3: lines of 64 characters that end in LF. */
export function writePem(label: PemLabel, der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64')
  const lines: string[] = []
  for (let at = 0; at < base64.length; at += LINE) lines.push(base64.slice(at, at + LINE))
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/**
 * Exactly one text of this label.
 *
 * @param limit - octets of the DER inside
 * @throws Malformed
 */
export function readPem(label: PemLabel, text: string, limit: number = MESSAGE_LIMIT): Buffer {
  const [der, ...others] = readPemList(label, text, limit)
  if (der === undefined || others.length > 0) throw new Malformed(`not exactly one PEM text ${label}`)
  return der
}

/**
 * Texts of this label one after another and nothing between them: the stricttextualmsg of RFC 7468 3, with LF or CR LF.
 *
 * @param limit - octets of the DER inside all of them
 * @returns DER, in the order of the texts
 * @throws Malformed
 */
export function readPemList(label: PemLabel, text: string, limit: number = MESSAGE_LIMIT): Buffer[] {
  if (text.length > 1024 + limit * 1.5) throw new Malformed('a PEM text that is too long')
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  const texts: Buffer[] = []
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf(`-----END ${label}-----`, at)
    if (lines[at] !== `-----BEGIN ${label}-----` || end === -1) throw new Malformed(`not a PEM text ${label}`)
    texts.push(decodeLines(lines.slice(at + 1, end)))
    at = end + 1
  }
  return texts
}

function decodeLines(lines: readonly string[]): Buffer {
  const full = lines.slice(0, -1).every((line) => line.length === LINE)
  const last = lines.at(-1)?.length ?? 0
  const der = full && last > 0 && last <= LINE ? decodeBase64(lines.join('')) : undefined
  if (der === undefined) throw new Malformed('not base64 in lines of 64')
  return der
}

/** What comes as text is PEM, what comes as octets is DER. @throws Malformed */
export function derOf(label: PemLabel, derOrPem: Uint8Array | string, limit: number = MESSAGE_LIMIT): Buffer {
  return typeof derOrPem === 'string' ? readPem(label, derOrPem, limit) : Buffer.from(derOrPem)
}
