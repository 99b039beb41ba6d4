import { readFile } from 'node:fs/promises'
import { fastify } from 'fastify'
import { callerOf, guardFastify, keepAlive, onboard, openGuard } from '../src/ees/index.ts'

/** An EES in a program: onboard once, stay registered, call other EESs, and let only those in that may come. */
export async function startEes(bundleFile: string, folder: string) {
  const bundle = await readFile(bundleFile, 'utf8')
  const { eesId, fqdn } = JSON.parse(bundle) as { eesId: string; fqdn: string }
  const eesProf = { eesId, endPt: { fqdn }, eecRegConf: true }

  // At every start: what was done before is found in the folder and not done again.
  const registration = await onboard(bundle, { eesProf }, { store: folder })
  keepAlive(registration)

  // Verifies certificates and tokens as TS 33.501 13.4.1.1.2 step 2 lists it.
  const guard = await openGuard(registration)
  const app = fastify({ http2: true, https: guard.tls() })
  registration.onRenewed(() => app.server.setSecureContext(guard.tls()))
  app.get('/hello', { onRequest: guardFastify(guard, 'eees-eeccontextreloc') }, async (request) => {
    return { hello: callerOf(request)?.fqdn }
  })
  await app.listen({ port: 9443 })

  // A token for exactly that server goes with the request.
  const call = { method: 'GET', path: '/hello' } as const
  return registration.request('https://ees2.example.com:9443', call, { scope: 'eees-eeccontextreloc' })
}
