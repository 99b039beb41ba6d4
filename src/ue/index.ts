/** A UE as software: USIM, ME, and the local interface at which its EECs get their keys. */
export { allowEec, credentialFile, disallowEec } from './adapters/eec-list.ts'
export { authenticateUe, describeUe, type ServingNetworkAccess, type UeDescription } from './adapters/open-ue.ts'
export { nameOf as servingNetworkName, servingNetworkOf } from './adapters/serving-network.ts'
export { type InitOptions, insertUsim, openUeFolder, type UeFolder } from './adapters/ue-folder.ts'
export { AuthenticationFailed, type AuthenticationFailure, NotUsable } from './errors.ts'
export type { Authenticated } from './primary-authentication.ts'
export { type ServingUe, serveUe } from './server/serve-ue.ts'
export { readSubscription, type Subscription } from './usim/subscription.ts'
