import { operatorOperation as operation } from '../../spec/operation.ts'

/** On the `admin` listener. A SUPI stands in no path. */
export const OPERATOR_OPERATIONS = {
  allow: operation('AllowEec', 'POST', '/eecs'),
  list: operation('ListEecs', 'GET', '/eecs'),
  deny: operation('DenyEec', 'POST', '/denials'),
  withdraw: operation('Withdraw', 'POST', '/withdrawals'),
  newSigningKey: operation('NewSigningKey', 'POST', '/signing-keys'),
  installSigningKey: operation('InstallSigningKey', 'POST', '/signing-keys/certificates'),
} as const
