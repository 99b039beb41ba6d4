import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseDocument, stringify } from 'yaml'
import { ConfigurationError, PEERS_FILE } from '../../nf/adapters/folder.ts'
import { writePrivateFile } from '../../store/private-file.ts'

/** An entry of an allow-list as an operator wrote it. */
export interface WrittenPeer {
  readonly fqdn: string
  readonly nfType?: string
  readonly ecs?: readonly { readonly fqdn: string }[]
}

/** Changes `peers.yaml` of a network function; the comment at its head stays. @throws ConfigurationError */
export async function editPeers(folder: string, edit: (list: readonly WrittenPeer[]) => object[]): Promise<void> {
  const file = join(folder, PEERS_FILE)
  const text = await readFile(file, 'utf8')
  const document = parseDocument(text)
  const list: unknown = document.toJS()
  if (document.errors.length > 0 || !Array.isArray(list)) throw new ConfigurationError(`${file}: not a list`)
  const [head = ''] = /^(?:#.*\n)*/.exec(text) ?? []
  const edited = head + stringify(edit(list), { aliasDuplicateObjects: false })
  await writePrivateFile(file, Buffer.from(edited), { replace: true })
}
