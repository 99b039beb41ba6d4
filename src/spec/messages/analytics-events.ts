import type { Static } from 'typebox'
import { openEnum } from './forms.ts'

/** What a token for an NWDAF may be narrowed to: TS 29.520, Nnwdaf_EventsSubscription. */
export const NwdafEvent = openEnum([
  'SLICE_LOAD_LEVEL',
  'NETWORK_PERFORMANCE',
  'NF_LOAD',
  'SERVICE_EXPERIENCE',
  'UE_MOBILITY',
  'UE_COMMUNICATION',
  'QOS_SUSTAINABILITY',
  'ABNORMAL_BEHAVIOUR',
  'USER_DATA_CONGESTION',
  'NSI_LOAD_LEVEL',
  'DN_PERFORMANCE',
  'DISPERSION',
  'RED_TRANS_EXP',
  'WLAN_PERFORMANCE',
  'SM_CONGESTION',
  'PFD_DETERMINATION',
  'PDU_SESSION_TRAFFIC',
  'E2E_DATA_VOL_TRANS_TIME',
  'MOVEMENT_BEHAVIOUR',
  'LOC_ACCURACY',
  'RELATIVE_PROXIMITY',
  'SIGNALLING_STORM',
  'QOS_POLICY_ASSIST',
])
export type NwdafEvent = Static<typeof NwdafEvent>
