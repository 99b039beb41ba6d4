import { operatorOperation as operation } from '../../spec/operation.ts'

/** On the `admin` listener. */
export const OPERATOR_OPERATIONS = {
  invite: operation('InviteEes', 'POST', '/invitations'),
  list: operation('ListEes', 'GET', '/ees'),
  /** by `id` in the query: an EES ID may have slashes, which no path segment has */
  show: operation('ShowEes', 'GET', '/ees/description'),
  revoke: operation('RevokeEes', 'POST', '/revocations'),
  verifyAudit: operation('VerifyAudit', 'GET', '/audit/verification'),
  backup: operation('Backup', 'POST', '/backups'),
  explain: operation('ExplainPolicy', 'GET', '/policy/explanation'),
  reloadPolicy: operation('ReloadPolicy', 'POST', '/policy/reload'),
  addPeer: operation('AddPeer', 'POST', '/peers'),
  listPeers: operation('ListPeers', 'GET', '/peers'),
  removePeer: operation('RemovePeer', 'POST', '/peers/removal'),
  showAuthorities: operation('ShowAuthorities', 'GET', '/authorities'),
  stageAuthority: operation('StageAuthority', 'POST', '/authorities/staging'),
  switchAuthority: operation('SwitchAuthority', 'POST', '/authorities/switch'),
  retireAuthority: operation('RetireAuthority', 'POST', '/authorities/retirement'),
  rotateKeys: operation('RotateSigningKeys', 'POST', '/signing-keys/rotation'),
} as const
