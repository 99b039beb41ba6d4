import type { Operation } from '../spec/operation.ts'

function operation(id: string, method: Operation['method'], path: string): Operation {
  return { id, api: 'operator', method, path: `/operator/v1${path}`, clause: 'ours' }
}

/** On the `admin` listener. A SUPI stands in no path. */
export const OPERATOR_OPERATIONS = {
  add: operation('AddSubscribers', 'POST', '/subscribers'),
  list: operation('ListSubscribers', 'GET', '/subscribers'),
  remove: operation('RemoveSubscriber', 'POST', '/removals'),
  homeNetworkKeys: operation('ListHomeNetworkKeys', 'GET', '/home-network-keys'),
} as const
