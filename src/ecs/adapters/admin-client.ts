import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Message, openPeer, type Peer } from '../../http/client.ts'
import { readOperatorCredential } from '../../nf/adapters/operator-credential.ts'
import { systemClock } from '../../ports/clock.ts'
import { isApplicationError } from '../../spec/application-errors.ts'
import { Refusal } from '../../spec/refusal.ts'
import { clientTls } from '../../tls/client.ts'
import type { OperatorCommands } from '../operator/commands.ts'
import { OPERATOR_OPERATIONS } from '../operator/operations.ts'
import { adminPair, operatorRenewal } from './operator-credential.ts'

/** Where a serving ECS says that its operator finds it. */
export const ADMIN_FILE = 'admin.json'

export interface AdminAddress {
  readonly fqdn: string
  /** `https://ADDRESS:PORT` */
  readonly admin: string
}

/** The operator's commands, carried out by the ECS that serves from this folder. @throws FileRefused */
export async function adminClient(folder: string): Promise<OperatorCommands & { close(): void }> {
  const { fqdn, admin } = JSON.parse(await readFile(join(folder, ADMIN_FILE), 'utf8')) as AdminAddress
  const { hostname, port } = new URL(admin)
  const credential = await readOperatorCredential(adminPair(folder), systemClock.now(), operatorRenewal(folder))
  const tls = clientTls(await rootsIn(join(folder, 'ca')), credential)
  const address = hostname.replaceAll(/[[\]]/g, '')
  const peer = openPeer(`https://${fqdn}:${port}`, tls, new Map([[fqdn, address]]))
  const ask = asker(peer)
  const { invite, list, show, revoke, verifyAudit, backup, explain, reloadPolicy, rotateKeys } = OPERATOR_OPERATIONS
  const { addPeer, listPeers, removePeer } = OPERATOR_OPERATIONS
  const { showAuthorities, stageAuthority, switchAuthority, retireAuthority } = OPERATOR_OPERATIONS
  return {
    invite: (invitation) => ask(invite.method, invite.path, invitation),
    list: (after) =>
      ask(list.method, after === undefined ? list.path : `${list.path}?after=${encodeURIComponent(after)}`),
    show: (id) => ask(show.method, `${show.path}?${new URLSearchParams({ id })}`),
    revoke: (id) => ask(revoke.method, revoke.path, { id }),
    verifyAudit: () => ask(verifyAudit.method, verifyAudit.path),
    backup: (file) => ask(backup.method, backup.path, { file }),
    explainPolicy: (question) => ask(explain.method, `${explain.path}?${new URLSearchParams({ ...question })}`),
    reloadPolicy: () => ask(reloadPolicy.method, reloadPolicy.path),
    addPeer: (stated) => ask(addPeer.method, addPeer.path, stated),
    listPeers: () => ask(listPeers.method, listPeers.path),
    removePeer: (name) => ask(removePeer.method, removePeer.path, { fqdn: name }),
    showAuthorities: () => ask(showAuthorities.method, showAuthorities.path),
    stageAuthority: () => ask(stageAuthority.method, stageAuthority.path),
    switchAuthority: (options = {}) => ask(switchAuthority.method, switchAuthority.path, options),
    retireAuthority: (options = {}) => ask(retireAuthority.method, retireAuthority.path, options),
    rotateSigningKeys: () => ask(rotateKeys.method, rotateKeys.path),
    close: () => peer.close(),
  }
}

/** Whichever of its authorities the ECS shows a certificate of: this is its own folder. */
async function rootsIn(ca: string): Promise<string[]> {
  const entries = await readdir(ca, { withFileTypes: true })
  const later = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
  return Promise.all(['', ...later.map(({ name }) => name)].map((name) => readFile(join(ca, name, 'root.crt'), 'utf8')))
}

function asker(peer: Peer) {
  return async <Answer>(method: Message['method'], path: string, body?: object): Promise<Answer> => {
    const json = { 'content-type': 'application/json' }
    const message = body === undefined ? { method, path } : { method, path, headers: json, body: JSON.stringify(body) }
    const { status, body: octets } = await peer.request(message)
    const answer = octets.length === 0 ? undefined : (JSON.parse(octets.toString('utf8')) as unknown)
    if (status >= 200 && status < 300) return answer as Answer
    const { cause, detail } = (answer ?? {}) as { cause?: string; detail?: string }
    throw new Refusal(isApplicationError(cause) ? cause : 'SYSTEM_FAILURE', detail ?? `the ECS answered ${status}`)
  }
}
