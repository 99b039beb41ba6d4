import type { Resolve } from '../../http/client.ts'
import { fqdnOf } from '../../http/origin.ts'
import { systemClock } from '../../ports/clock.ts'
import { type Progress, unheard } from '../../ports/progress.ts'
import type { Fqdn } from '../../spec/identifiers.ts'
import { readPrivateFile } from '../../store/private-file.ts'
import { authenticateByKedge, type Ecs } from '../authentication/by-kedge.ts'
import { type EecCredential, readCredential } from '../credential.ts'
import { NotUsable } from '../errors.ts'
import { EcsSession } from '../session.ts'
import { connectOver } from './connect.ts'
import { fetchKey } from './ue-interface.ts'

export interface EecOptions {
  /** the file that "edgeward ue allow" wrote, or what `readCredential` made of it */
  readonly credential: string | EecCredential
  /** `https://FQDN[:PORT]` of the ECS */
  readonly ecs: string
  /** PEM: the root of the ECS's certificate, and the only one that is trusted */
  readonly root: string
  /** where names are reached when DNS shall not be asked */
  readonly resolve?: Resolve
  readonly progress?: Progress
}

/**
 * Authenticates an EEC at an ECS with the key of its UE (TR 33.839 6.x.2.1 steps 3, 4 and 7).
 *
 * @throws NotUsable before anything is sent; FileRefused if others can read the credential; AuthenticationStepFailed
 */
export async function authenticate({
  ecs,
  root,
  resolve,
  progress = unheard,
  ...options
}: EecOptions): Promise<EcsSession> {
  const credential = await credentialOf(options.credential)
  const target = ecsAt(ecs)
  const eec = {
    eecId: credential.eecId,
    fetchKey: (fqdn: Fqdn) => fetchKey(credential, fqdn),
    connect: connectOver(root, resolve),
    clock: systemClock,
    progress,
  }
  return new EcsSession(credential.eecId, target, await authenticateByKedge(eec, target), systemClock)
}

async function credentialOf(credential: string | EecCredential): Promise<EecCredential> {
  if (typeof credential !== 'string') return credential
  const octets = await readPrivateFile(credential).catch((cause: unknown) => {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause
    throw new NotUsable(`${credential} does not exist: "edgeward ue allow" makes it`, { cause })
  })
  return readCredential(octets.toString())
}

function ecsAt(origin: string): Ecs {
  const fqdn = fqdnOf(origin)
  if (fqdn === undefined) throw new NotUsable(`${origin} is not an https origin, as https://ecs1.example.com:8443`)
  return { fqdn, apiRoot: new URL(origin).origin }
}
