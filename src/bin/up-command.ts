import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { styleText } from 'node:util'
import type { Command } from 'commander'
import { ensureFolder } from '../store/ensure-folder.ts'
import { stepLine } from './step-lines.ts'
import { stopSignals } from './stop.ts'
import { playAuthorization } from './up/authorization.ts'
import { type Edge, EES1, EES2, EES3, startEdge } from './up/edge.ts'
import { playAkma, playEdgeKey, playPrimaryAuthentication, playWithoutAusf } from './up/edge-key.ts'
import { playDiscovery, playEntitlement } from './up/entitlement.ts'
import type { Audience, Figure } from './up/figure.ts'
import { playLife, playOnboarding } from './up/onboarding.ts'
import { playRelocation } from './up/relocation.ts'

interface Options {
  readonly dir?: string
  readonly once?: boolean
  readonly json?: boolean
}

export function addUpCommand(command: Command): void {
  command
    .option(
      '--dir <folder>',
      'where everything is kept, empty or new; otherwise a temporary folder, removed at the end',
    )
    .option('--once', 'end after the figures: exit 0 when every one succeeded')
    .option('--json', 'print one JSON document in the place of progress')
    .action(up)
}

/** A figure that is interrupted may still write a file: then the folder is removed once more. */
const REMOVAL = { recursive: true, force: true, maxRetries: 20, retryDelay: 50 } as const

async function up({ dir, once = false, json = false }: Options): Promise<void> {
  const folder = dir === undefined ? await mkdtemp(join(tmpdir(), 'edgeward-up-')) : await emptyFolder(dir)
  const signals = stopSignals()
  const stopping = new AbortController()
  const isStopped = () => stopping.signal.aborted
  const audience = json ? SILENT : printed(() => !isStopped())
  const stopped = signals.stopped.then(() => {
    stopping.abort()
    // Nobody shall take figures that were not played for ones that succeeded.
    if (once) process.exitCode = 1
  })
  let edge: Edge | undefined
  try {
    edge = await startEdge(folder, audience.prepared, stopping.signal)
    // Whoever is stopped in the middle still leaves nothing behind.
    await Promise.race([show(edge, audience, { once, json }), stopped])
    if (!once) await stopped
  } catch (error) {
    // A terminal stops the servers of the edge by the same Ctrl-C: they have not failed.
    if (!isStopped()) throw error
  } finally {
    signals.release()
    await edge?.stop()
    // If it did not start, the folder stays: its logs tell why.
    if (dir === undefined && (edge !== undefined || isStopped())) await rm(folder, REMOVAL)
  }
  // A figure in the middle has no edge any more: it is not waited for.
  if (isStopped()) process.exit()
}

async function show(edge: Edge, audience: Audience, { once, json }: { once: boolean; json: boolean }): Promise<void> {
  report(await playAll(edge, audience), json)
  if (!once) await serve(edge, json)
}

function report(figures: readonly Figure[], json: boolean): void {
  const ok = figures.every((figure) => figure.ok)
  process.stdout.write(json ? `${JSON.stringify({ ok, figures })}\n` : `\n${summaryOf(figures)}\n`)
  if (!ok) process.exitCode = 1
}

function summaryOf(figures: readonly Figure[]): string {
  const failed = figures.filter((figure) => !figure.ok).map(({ id, case: name }) => `${id} ${name}`)
  const count = `${figures.length} figures`
  return failed.length === 0 ? `${count}, all succeeded.` : `${count}, of which failed: ${failed.join('; ')}.`
}

const [FIRST, SECOND, THIRD] = [
  { name: 'ees1', fqdn: EES1 },
  { name: 'ees2', fqdn: EES2 },
  { name: 'ees3', fqdn: EES3 },
] as const

async function playAll(edge: Edge, audience: Audience): Promise<Figure[]> {
  return [
    await playOnboarding(edge, edge.ecs1, FIRST, audience),
    await playOnboarding(edge, edge.ecs1, SECOND, audience),
    await playOnboarding(edge, edge.ecs2, THIRD, audience),
    ...(await playAuthorization(edge, FIRST.name, audience)),
    await playPrimaryAuthentication(edge, audience),
    await playEdgeKey(edge, edge.ecs1, 'ausf', audience),
    await playEdgeKey(edge, edge.ecs2, 'nef', audience),
    await playWithoutAusf(edge, audience),
    await playAkma(edge, audience),
    await playEntitlement(edge, edge.ecs1, 'certificate', audience),
    await playEntitlement(edge, edge.ecs2, 'introspection', audience),
    await playDiscovery(edge, edge.ecs1, audience),
    ...(await playRelocation(edge, audience)),
    await playLife(edge, SECOND, audience),
  ]
}

async function serve(edge: Edge, json: boolean): Promise<void> {
  const ees1 = await edge.start('ees1', 'ees', 'serve', '--dir', join(edge.folder, 'ees1'))
  if (json) return
  const lines = [edge.ecs1, edge.ecs2].map(({ name, server: { listeners } }) => {
    const { server, mtls, psk, admin } = listeners
    return `${name} listens on ${server} (onboarding), ${mtls} (mutual TLS), ${psk} (TLS-PSK), ${admin} (operators)`
  })
  process.stdout.write(`
${lines.join('\n')}
ees1 listens on ${ees1.listeners['mtls']} (mutual TLS, and a token for it)
Try: npm run -s edgeward -- ecs ees list --dir ${edge.ecs1.folder}
Stop with Ctrl-C.
`)
}

async function emptyFolder(dir: string): Promise<string> {
  const folder = resolve(dir)
  await ensureFolder(folder, 0o700)
  if ((await readdir(folder)).length > 0)
    throw new Error(`${dir} is not empty: take another folder, or remove it first`)
  return folder
}

const SILENT: Audience = { prepared() {}, begins() {}, happened() {}, ended() {} }

/** Progress for people: a line for each step, as it happens. @param isHeard - whether there is still somebody to tell */
function printed(isHeard: () => boolean): Audience {
  const write = (line: string) => {
    if (isHeard()) process.stdout.write(`${line}\n`)
  }
  return {
    prepared: (what) => write(styleText('dim', what)),
    begins: ({ id, case: name }) => write(`\n${styleText('bold', `${id}  ${name}`)}`),
    happened: (step) => write(stepLine(step)),
    ended: ({ ok }) => write(ok ? styleText('green', '    succeeded') : styleText('red', '    failed')),
  }
}
