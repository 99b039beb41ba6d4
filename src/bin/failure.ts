import { RefusedByServer } from '../http/response.ts'
import { Refusal } from '../spec/refusal.ts'

/** What the file system says about a file, and what people can do about it. */
const ABOUT_FILES: Record<string, string> = {
  ENOENT: 'is not there: check the name',
  EEXIST: 'exists already and is never overwritten: take another name',
  EACCES: 'may not be opened by this user: check its owner and that of its folder',
  EISDIR: 'is a folder: name a file',
  ENOTDIR: 'is no folder, or not in one: check the name',
  ENAMETOOLONG: 'is longer than a name can be',
  EPERM: 'may not be made here: take another folder',
  EROFS: 'is on a file system that takes no changes: take another folder',
  ENOSPC: 'has no room: the disk is full',
}

/** The same about addresses, also where an error is the cause of another. */
const ABOUT_ADDRESSES: Record<string, string> = {
  EADDRINUSE: 'another program listens there: change the port in the configuration, or stop the other one',
  EADDRNOTAVAIL: 'this machine has no such address: change it in the configuration',
  EACCES: 'this user may not listen there: take a port above 1023',
  ECONNREFUSED: 'nothing listens there: start the server, or check the address',
  ENOTFOUND: 'DNS does not know that name: check it, or say where it is by --resolve FQDN=ADDRESS',
}

/** A file is written under such a name first: `.NAME.0123456789ab` */
const UNFINISHED = /\.([^/]+)\.[0-9a-f]{12}$/

/** What a terminal would not show but do, and what begins a line. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu

/**
 * One sentence for people: what went wrong and what to do next. Never a stack, a key or a token; and what others have
 * written stays a part of the sentence (THREATS HT-09).
 */
export function explainFailure(error: unknown): string {
  return sentenceOf(error).replaceAll(UNSEEN, ' ')
}

function sentenceOf(error: unknown): string {
  if (error instanceof Refusal) return `Refused: ${error.detail} (${error.code}).`
  if (error instanceof RefusedByServer)
    return `Refused by the server: ${error.detail ?? 'no reason is given'} (${error.status} ${error.code}).`
  if (!(error instanceof Error)) return 'Failed for an unknown reason.'
  return `Failed: ${aboutFile(error) ?? aboutRights(error.cause) ?? aboutAddress(error) ?? error.message}`
}

function aboutFile(error: Error): string | undefined {
  const { code, path, dest = path } = error as NodeJS.ErrnoException & { dest?: string }
  const advice = ABOUT_FILES[code ?? '']
  return dest === undefined || advice === undefined ? undefined : `${dest.replace(UNFINISHED, '$1')} ${advice}`
}

/** Whoever may not read a file has not mistaken its name, which is what its reader supposes. */
function aboutRights(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && cause.code === 'EACCES' ? aboutFile(cause) : undefined
}

function aboutAddress(error: Error): string | undefined {
  const causes = [error, error.cause].filter((each) => each instanceof Error)
  const codes = causes.map((each) => ('code' in each ? String(each.code) : ''))
  const advice = codes.map((code) => ABOUT_ADDRESSES[code]).find((each) => each !== undefined)
  return advice === undefined ? undefined : `${error.message}; ${advice}`
}
