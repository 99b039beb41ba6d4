import { type Static, Type } from 'typebox'
import { EDGE_FUNCTION_CODES } from '../keys/kedge.ts'
import { KeyProfile } from '../spec/messages/eec-authentication.ts'
import { closedEnum } from '../spec/messages/forms.ts'

const strict = { additionalProperties: false }
/** Two octets, FC1 = FF (TS 33.220 B.2). */
const functionCode = Type.Integer({ minimum: 0xff00, maximum: 0xffff })

/** `ue.yaml`. What is not written there has the value of {@link DEFAULTS}; what is not known here is refused. */
export const Configuration = Type.Object(
  {
    edge: Type.Object(
      {
        keyProfile: KeyProfile,
        kedgeInput: closedEnum(['edge', 'supi']),
        functionCodes: Type.Object({ kedge: functionCode, edgeTid: functionCode, kecs: functionCode }, strict),
      },
      strict,
    ),
    sealing: Type.Object({ keyFile: Type.Optional(Type.String({ minLength: 1 })) }, strict),
    log: Type.Enum(['debug', 'info', 'warn', 'error', 'silent']),
  },
  strict,
)
export type Configuration = Static<typeof Configuration>

export const DEFAULTS: Configuration = {
  edge: { keyProfile: 'bound', kedgeInput: 'edge', functionCodes: EDGE_FUNCTION_CODES },
  sealing: { keyFile: 'sealing.key' },
  log: 'info',
}

const hex = (code: number) => `0x${code.toString(16)}`

export function configurationText(keyProfile: KeyProfile): string {
  const { kedge, edgeTid, kecs } = EDGE_FUNCTION_CODES
  return `# A UE: its USIM, its keys of the edge, and the EECs that may have keys of it.
edge:                  # the same at the AUSF
  keyProfile: ${keyProfile} # bound: an EEC gets a key for one ECS and itself; literal: it gets Kedge
  kedgeInput: edge     # or: supi (P0 = SUPI, nothing else)
  functionCodes:       # not allocated by 3GPP
    kedge: ${hex(kedge)}
    edgeTid: ${hex(edgeTid)}
    kecs: ${hex(kecs)}

sealing:
  keyFile: sealing.key # seals usim.json and keys.
                       # With EDGEWARD_PASSPHRASE set at init and later, a passphrase takes its place.
log: info
`
}
