import { type Static, Type } from 'typebox'
import { listOf, matching, oneOf } from '../forms.ts'

/** Basic data types of TS 29.571 5.2, without those of TS 29.122 that have the same name and another schema. */

/** base64 with padding (RFC 4648 4). */
export const Bytes = Type.String({ format: 'byte' })
/** RFC 3339 date-time, with any offset. */
export const DateTime = Type.String({ format: 'date-time' })
/** As DateTime; null in a merge patch (RFC 7396) removes it. */
export const DateTimeRm = Type.Union([Type.String({ format: 'date-time' }), Type.Null()])
/** A URI reference; the schema leaves its syntax to the reader. */
export const Uri = Type.String()

export const Uinteger = Type.Integer({ minimum: 0 })
export const Float = Type.Number()
/** A number and its unit, as in "10.5 Mbps". */
export const BitRate = matching(/^\d+(\.\d+)? (bps|Kbps|Mbps|Gbps|Tbps)$/)

/** One bit per feature in hexadecimal: feature 1 is the lowest bit of the last digit (TS 29.500 6.6.2). */
export const SupportedFeatures = matching(/^[A-Fa-f0-9]*$/)

/**
 * A name of several labels; this schema also lets a trailing dot and upper case pass, parseFqdn settles both (D-32).
 */
export const Fqdn = Type.String({
  pattern: /^([0-9A-Za-z]([-0-9A-Za-z]{0,61}[0-9A-Za-z])?\.)+[A-Za-z]{2,63}\.?$/.source,
  minLength: 4,
  maxLength: 253,
})

/** Names a part of the multipart message that carries the octets. */
export const RefToBinaryData = Type.Object({ contentId: Type.String() })
export type RefToBinaryData = Static<typeof RefToBinaryData>

/** A hypermedia link (HAL, as TS 29.501 takes it over). */
export const Link = Type.Object({ href: Type.Optional(Uri) })
export type Link = Static<typeof Link>

export const LinksValueSchema = oneOf(listOf(Link), Link)
export type LinksValueSchema = Static<typeof LinksValueSchema>
