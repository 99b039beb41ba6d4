import { type Static, Type } from 'typebox'
import { DayOfWeek, TimeOfDay } from './basic-types.ts'

/** A weekly schedule; every day when it names none. TS 29.122, CpProvisioning. */
export const ScheduledCommunicationTime = Type.Object({
  daysOfWeek: Type.Optional(Type.Array(DayOfWeek, { minItems: 1, maxItems: 6 })),
  timeOfDayStart: Type.Optional(TimeOfDay),
  timeOfDayEnd: Type.Optional(TimeOfDay),
})
export type ScheduledCommunicationTime = Static<typeof ScheduledCommunicationTime>
