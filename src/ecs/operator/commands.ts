import type { LedgerVerdict } from '../../store/verify-ledger.ts'
import type { Explanation } from '../authorization-server/decide.ts'
import type { RollOverStage } from '../certificate-authority/authorities.ts'
import type { RollOverOptions } from '../certificate-authority/roll-over.ts'
import type { PeerEcs, PeerStatement } from '../federation/peer-ecs.ts'
import type { EesDescription } from './describe-ees.ts'
import type { Bundle, Invitation } from './invite-ees.ts'

/** What an operator can do: the same while the ECS serves, through its `admin` listener, and while it does not. */
export interface OperatorCommands {
  invite(invitation: Invitation): Promise<Bundle>
  /** @param after - the registration ID that the last page ended with */
  list(after?: string): Promise<EesPage>
  /** @param id - an EES ID or a registration ID */
  show(id: string): Promise<EesDescription>
  /** Ends the registration, revokes its certificates, closes its connections. Once more is no error. */
  revoke(id: string): Promise<EesDescription>
  verifyAudit(): Promise<LedgerVerdict>
  /** @param file - absolute path of a file that does not exist yet, at the ECS */
  backup(file: string): Promise<void>
  explainPolicy(question: PolicyQuestion): Promise<Explanation>
  /** Reads the policy file again. @returns its digest */
  reloadPolicy(): Promise<{ digest: string }>
  /** Trusts another ECS from now on, or as it is said now in the place of before. */
  addPeer(stated: PeerStatement): Promise<PeerDescription>
  listPeers(): Promise<{ readonly peers: readonly PeerDescription[] }>
  removePeer(fqdn: string): Promise<{ readonly peers: readonly PeerDescription[] }>
  showAuthorities(): Promise<AuthorityStanding>
  /** Makes the next certificate authority, and publishes it. Once more is no error. */
  stageAuthority(): Promise<AuthorityStanding>
  /** Lets it sign. */
  switchAuthority(options?: RollOverOptions): Promise<AuthorityStanding>
  /** Trusts the one before it no more, and destroys its keys. */
  retireAuthority(options?: RollOverOptions): Promise<AuthorityStanding>
  /** Publishes the next key of the tokens now. @returns the key identifiers that are published */
  rotateSigningKeys(): Promise<{ published: readonly string[] }>
}

/** How far the roll-over of the certificate authority has come. */
export interface AuthorityStanding {
  readonly stage: RollOverStage
  /** of the stage, RFC 3339 */
  readonly since?: string
  /** when everybody has had time to hear of the next authority */
  readonly switchAfter?: string
  /** that signs */
  readonly present: AuthorityDescription
  /** the next one, or the one before, by the stage */
  readonly other?: AuthorityDescription
}

export interface AuthorityDescription {
  /** SHA-256 of the root, hexadecimal */
  readonly root: string
  readonly notAfter: string
  /** where its certificates are, in the folder of the ECS */
  readonly folder: string
  /** whether the root before it certifies it, so that it is found from there */
  readonly crossCertified: boolean
  /** EESs that have no certificate of another authority */
  readonly holders: number
}

/** What the operator sees of another ECS. */
export interface PeerDescription extends Omit<PeerEcs, 'roots'> {
  /** SHA-256 of each root that is trusted for it, hexadecimal */
  readonly roots: readonly string[]
  /** whether there is a trust bundle of it: it is trusted with nothing before */
  readonly known: boolean
  /** how it stands, of an ECS that serves */
  readonly standing?: PeerStanding
}

/** Times are RFC 3339. */
export interface PeerStanding {
  /** when its trust bundle came last */
  readonly heardAt?: string
  /** when that is good no more */
  readonly expires?: string
  /** when the first of its revocation lists is good no more */
  readonly listsUntil?: string
  /** after failures in a row it is not asked for a moment */
  readonly leftAlone: boolean
}

export interface EesPage {
  readonly ees: readonly Omit<EesDescription, 'certificates' | 'eesProf'>[]
  /** present if there are more */
  readonly next?: string
}

/** About an operation, or about a token for one API at the ECS (`target` absent) or at an EES. */
export interface PolicyQuestion {
  /** an EES ID, or with `fqdn` one that is not registered */
  readonly ees?: string
  readonly fqdn?: string
  readonly operation?: string
  readonly scope?: string
  readonly target?: string
}
