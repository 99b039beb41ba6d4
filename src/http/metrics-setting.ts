import { type Static, Type } from 'typebox'

/** Where a process shows what is measured of it; not at all unless it is written. */
export const MetricsSetting = Type.Object(
  {
    /** 127.0.0.1 unless stated: there is no TLS and no client authentication */
    address: Type.Optional(Type.String({ minLength: 1 })),
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  },
  { additionalProperties: false },
)
export type MetricsSetting = Static<typeof MetricsSetting>
