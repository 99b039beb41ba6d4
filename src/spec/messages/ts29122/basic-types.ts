import { type Static, Type } from 'typebox'

/**
 * Common data types of the northbound APIs: TS 29.122 5.2.1. The EDGE APIs use these wherever both documents have one.
 */

/** Dotted decimal by the text; the schema leaves the syntax to the reader. */
export const Ipv4Addr = Type.String()
/** RFC 5952 by the text; the schema leaves the syntax to the reader. */
export const Ipv6Addr = Type.String()
export const Uri = Type.String()
/** RFC 3339 date-time, with any offset. */
export const DateTime = Type.String({ format: 'date-time' })

export const TimeWindow = Type.Object({ startTime: DateTime, stopTime: DateTime })
export type TimeWindow = Static<typeof TimeWindow>

/** Monday is 1. */
export const DayOfWeek = Type.Integer({ minimum: 1, maximum: 7 })
/** RFC 3339 partial-time or full-time; the schema leaves the syntax to the reader. */
export const TimeOfDay = Type.String()

/** seconds */
export const DurationSec = Type.Integer({ minimum: 0 })
/** minutes */
export const DurationMin = Type.Integer({ format: 'int32', minimum: 0 })

export const Port = Type.Integer({ minimum: 0, maximum: 65535 })
/** A URI. */
export const Link = Type.String()

/** Notifications over a WebSocket that the subscriber opens, for one that cannot be reached. */
export const WebsockNotifConfig = Type.Object({
  websocketUri: Type.Optional(Link),
  requestWebsocketUri: Type.Optional(Type.Boolean()),
})
export type WebsockNotifConfig = Static<typeof WebsockNotifConfig>
