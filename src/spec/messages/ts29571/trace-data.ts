import { type Static, Type } from 'typebox'
import { matching, nullable, openEnum } from '../forms.ts'
import { Uri } from './basic-types.ts'
import { Ipv4Addr, Ipv6Addr } from './ip-addresses.ts'

/** What to trace of a subscriber: TS 29.571 5.6, after TS 32.422. */

export const TraceDepth = openEnum([
  'MINIMUM',
  'MEDIUM',
  'MAXIMUM',
  'MINIMUM_WO_VENDOR_EXTENSION',
  'MEDIUM_WO_VENDOR_EXTENSION',
  'MAXIMUM_WO_VENDOR_EXTENSION',
])
export type TraceDepth = Static<typeof TraceDepth>

export const JobType = openEnum([
  'IMMEDIATE_MDT_ONLY',
  'LOGGED_MDT_ONLY',
  'TRACE_ONLY',
  'IMMEDIATE_MDT_AND_TRACE',
  'LOGGED_MBSFN_MDT',
  '5GC_UE_LEVEL_MEASUREMENTS_ONLY',
  'TRACE_AND_5GC_UE_LEVEL_MEASUREMENTS_ONLY',
  'IMMEDIATE_MDT_AND_5GC_UE_LEVEL_MEASUREMENTS',
  'TRACE_IMMEDIATE_MDT_AND_5GC_UE_LEVEL_MEASUREMENTS',
])
export type JobType = Static<typeof JobType>

const octets = matching(/^[A-Fa-f0-9]+$/)

export const TraceData = nullable(
  Type.Object({
    /** PLMN, then the trace ID */
    traceRef: matching(/^[0-9]{3}[0-9]{2,3}-[A-Fa-f0-9]{6}$/),
    traceDepth: TraceDepth,
    neTypeList: octets,
    eventList: octets,
    collectionEntityIpv4Addr: Type.Optional(Ipv4Addr),
    collectionEntityIpv6Addr: Type.Optional(Ipv6Addr),
    traceReportingConsumerUri: Type.Optional(Uri),
    interfaceList: Type.Optional(octets),
    jobType: Type.Optional(JobType),
  }),
)
export type TraceData = Static<typeof TraceData>
