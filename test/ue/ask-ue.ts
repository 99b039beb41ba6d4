import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import type { EecCredential } from '../../src/spec/messages/edge-key.ts'

export interface Asked {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

export interface Answered {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: Record<string, unknown>
}

export const credentialOf = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as EecCredential

/** One request at the local interface, as any program on the device could make it. */
export function askUe(socketPath: string, token: string | undefined, asked: Asked): Promise<Answered> {
  const { method = 'POST', path = '/edge-key/v1/retrieve', body = '', headers = {} } = asked
  const all = {
    'content-type': 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...headers,
  }
  return new Promise((resolve, reject) => {
    request({ socketPath, method, path, headers: all, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part) => {
        text += part
      })
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text ? JSON.parse(text) : {} })
      })
    })
      .on('error', reject)
      .end(body)
  })
}
