import { createServer } from 'node:net'

/** @returns ports that nobody listens on now, all different */
export async function freePorts(address: string, count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(
    servers.map((server) => new Promise<void>((done, no) => server.once('error', no).listen(0, address, done))),
  )
  return servers.map((server) => {
    const bound = server.address()
    server.close()
    return typeof bound === 'object' && bound !== null ? bound.port : 0
  })
}
