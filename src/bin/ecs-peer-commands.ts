import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { PeerDescription } from '../ecs/operator/commands.ts'
import type { Fqdn } from '../spec/identifiers.ts'
import { fqdnArgument } from './arguments.ts'
import { asOperator } from './operator.ts'
import { print, table } from './output.ts'

interface Common {
  readonly dir: string
  readonly json?: boolean
}

interface Addition extends Common {
  readonly fqdn: string
  readonly apiRoot: string
  readonly root: string
  readonly nameSpace: string[]
  readonly via?: string
}

/** The other ECSs that this one trusts (P4). */
export function addPeerCommands(ecs: Command): void {
  const peer = ecs.command('peer').description('the other ECSs that this one trusts, and what they may vouch for')
  withFolder(peer.command('add'))
    .description('trust another ECS, or say anew what it is trusted with')
    .requiredOption('--fqdn <name>', 'its host name', fqdnArgument)
    .requiredOption('--api-root <url>', 'its listener without client certificates: https://FQDN:PORT')
    .requiredOption('--root <file>', 'PEM of its root; later ones it brings itself')
    .requiredOption('--name-space <suffix...>', 'what the names of its EESs end with')
    .option('--via <name>', 'another peer, which passes requests on to it', fqdnArgument)
    .action(async ({ dir, json = false, fqdn, apiRoot, root, nameSpace, via }: Addition) => {
      const stated = { fqdn, apiRoot, roots: await readFile(root, 'utf8'), nameSpace, ...(via && { via }) }
      const added = await asOperator(dir, (operator) => operator.addPeer(stated))
      const found = added.known ? 'its trust bundle is here' : 'its trust bundle is fetched as soon as it can be had'
      print(json, added, `${added.fqdn} is trusted for ${added.nameSpace.join(', ')}; ${found}.`)
    })
  withFolder(peer.command('list'))
    .description('all of them')
    .action(async ({ dir, json = false }: Common) => {
      const answer = await asOperator(dir, (operator) => operator.listPeers())
      print(json, answer, tableOf(answer.peers))
    })
  withFolder(peer.command('remove'))
    .description('trust it no more')
    .argument('<fqdn>', 'its host name', fqdnArgument)
    .action(async (fqdn: Fqdn, { dir, json = false }: Common) => {
      const answer = await asOperator(dir, (operator) => operator.removePeer(fqdn))
      print(json, answer, `${fqdn} is trusted no more.`)
    })
}

function withFolder(command: Command): Command {
  return command.requiredOption('--dir <folder>', 'the folder of the ECS').option('--json', 'print one JSON document')
}

function tableOf(peers: readonly PeerDescription[]): string {
  if (peers.length === 0) return 'No other ECS is trusted.'
  const rows = peers.map(({ fqdn, nameSpace, via, known, apiRoot, standing }) => [
    fqdn,
    nameSpace.join(' '),
    via ?? '',
    known ? (standing?.expires ?? 'known') : 'not seen yet',
    standing?.heardAt ?? '',
    standing?.listsUntil ?? '',
    standing?.leftAlone === true ? 'left alone' : '',
    apiRoot,
  ])
  return table(['ECS', 'NAME SPACE', 'VIA', 'BUNDLE UNTIL', 'HEARD', 'LISTS UNTIL', '', 'API ROOT'], rows)
}
