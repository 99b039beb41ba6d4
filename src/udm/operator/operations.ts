import { operatorOperation as operation } from '../../spec/operation.ts'

/** On the `admin` listener. A SUPI stands in no path. */
export const OPERATOR_OPERATIONS = {
  add: operation('AddSubscribers', 'POST', '/subscribers'),
  list: operation('ListSubscribers', 'GET', '/subscribers'),
  remove: operation('RemoveSubscriber', 'POST', '/removals'),
  setEecIds: operation('SetEecIds', 'POST', '/eec-ids'),
  homeNetworkKeys: operation('ListHomeNetworkKeys', 'GET', '/home-network-keys'),
} as const
