import { type Static, Type } from 'typebox'
import { IDENTITY_MEMBERS, type NfKind, type NfNames, SERVER_DEFAULTS } from './configuration.ts'

/** `amf.yaml`: the SEAF of a serving network, which calls the AUSF and listens to nobody. */
const SeafConfiguration = Type.Object(
  {
    ...IDENTITY_MEMBERS,
    /** for which the AUSF knows it: `5G:mnc001.mcc001.3gppnetwork.org` */
    servingNetworkName: Type.String(),
    /** `https://FQDN:PORT` */
    ausf: Type.String(),
  },
  { additionalProperties: false },
)
export type SeafConfiguration = Static<typeof SeafConfiguration> & NfNames

const { sealing, resolve, log } = SERVER_DEFAULTS
export const SEAF: NfKind = { name: 'amf', schema: SeafConfiguration, defaults: { sealing, resolve, log } }
