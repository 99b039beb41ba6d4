/** One service operation, as its specification names it. */
export interface Operation {
  /** the operationId of the OpenAPI file, or ours in the same style */
  readonly id: string
  /** the name of the API, which is also its OAuth scope (TS 29.501 4.8) */
  readonly api: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** with `{parameters}`, from the root of the server */
  readonly path: string
  readonly clause: string
}

/** One command of an operator, on the listener `admin` of a server: no specification has those. */
export function operatorOperation(id: string, method: Operation['method'], path: string): Operation {
  return { id, api: 'operator', method, path: `/operator/v1${path}`, clause: 'ours' }
}
